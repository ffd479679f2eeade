//! What a run does at each place: look for what is not known yet, or just get past it.

use super::graph::Kind;
use super::samples::LENGTHS;
use super::state::{Blocked, State};
use super::wanting::Plan;

impl State {
    /// Which of `count` samples to give at the place that was entered last.
    pub(super) fn sample(&mut self, count: usize) -> Result<usize, Blocked> {
        let goods = self.goods;
        let Some(step) = self.way.last_mut() else {
            return Err(Blocked);
        };
        let visits = &mut self.visits[step.node];
        let is_leaf = matches!(self.graph.nodes[step.node].kind, Kind::Leaf(_));
        if visits.tried >= count && !is_leaf && visits.goods_at_retry != goods {
            // Something below can be made by now, so that this may be too.
            (visits.tried, visits.goods_at_retry) = (0, goods);
        }
        let sample = match visits.good {
            Some(good) => good,
            None if visits.tried < count => {
                visits.tried += 1;
                self.progress += 1;
                visits.tried - 1
            }
            None => return Err(Blocked),
        };
        step.sample = Some(sample);
        Ok(sample)
    }

    /// How many elements to give at the place that was entered last.
    pub(super) fn length(&mut self) -> Result<usize, Blocked> {
        if self.way.last().is_some_and(|step| step.explores) {
            return Ok(1);
        }
        Ok(LENGTHS[self.sample(LENGTHS.len())?])
    }

    /// Which variant to give at the place that was entered last.
    pub(super) fn variant(&mut self) -> Result<usize, Blocked> {
        let Some(step) = self.way.last() else {
            return Err(Blocked);
        };
        let node = step.node;
        let Kind::Enum(_, variants) = &self.graph.nodes[node].kind else {
            return Err(Blocked);
        };
        let count = variants.len();
        let candidates = variants.iter().enumerate().filter(|(_, variant)| {
            variant.is_worth_it() && (!variant.is_complete() || self.wanting.has_any(&variant.parts()))
        });
        let explored = candidates
            .min_by_key(|(_, variant)| variant.tries)
            .map(|(index, _)| index);
        let known = (variants.iter().enumerate())
            .filter_map(|(index, variant)| Some((variant.cost?, index)))
            .min();
        let variant = match (explored.filter(|_| step.explores), known) {
            (Some(explored), _) => explored,
            (None, Some((_, cheapest))) => cheapest,
            (None, None) => self.sample(count)?,
        };
        if let Kind::Enum(_, variants) = &mut self.graph.nodes[node].kind {
            variants[variant].tries += 1;
        }
        if let Some(step) = self.way.last_mut() {
            step.variant = Some(variant);
        }
        Ok(variant)
    }

    /// How to look into the body at the place that was entered last.
    pub(super) fn plan(&mut self, variant: Option<usize>) -> Plan {
        let Some(step) = self.way.last().filter(|step| step.explores) else {
            return Plan::InTurn;
        };
        let node = step.node;
        let plan = match self.graph.body_mut(node, variant) {
            Some(body) => self.wanting.plan(body),
            None => Plan::InTurn,
        };
        if let Plan::Probe(index) = plan
            && let Some(probe) = self.probe_mut(node, variant, index)
            && !probe.is_settled()
        {
            probe.tries += 1;
            self.progress += 1;
        }
        plan
    }
}
