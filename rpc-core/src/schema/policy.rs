//! What a run does at each place: look for what is not known yet, or just get past it.

use super::graph::{Body, Content, Graph, Kind, Node, Place, Probe, Slot, Variant};
use super::samples::LENGTHS;

/// How many values may stand one inside another, as when bodies are decoded.
const MAX_DEPTH: usize = 128;
/// How often a place may stand inside itself.
const MAX_RECURSION: usize = 3;
/// How many values all runs for a method may make.
const MAX_STEPS: usize = 1 << 21;

/// Why a place cannot be entered, or its value is no use.
pub(super) struct Blocked;

/// What is known, and where the present run is.
#[derive(Default)]
pub(super) struct State {
    pub(super) graph: Graph,
    /// Beside each node: the run that explored it, how often it stands on the way, and its samples.
    visits: Vec<Visits>,
    /// For each node that was known when this run began: whether something is missing in or below it.
    wanting: Vec<bool>,
    run: usize,
    way: Vec<Step>,
    steps: usize,
    /// Goes up whenever something was found or tried for the first time.
    progress: usize,
    /// Goes up whenever a value was made where none could be made before.
    goods: usize,
}

#[derive(Default)]
struct Visits {
    explored_in: usize,
    active: usize,
    /// The sample that was taken.
    good: Option<usize>,
    tried: usize,
    goods_at_retry: usize,
}

/// A place on the way from the root.
struct Step {
    node: usize,
    explores: bool,
    sample: Option<usize>,
    variant: Option<usize>,
    steps: usize,
    progress: usize,
}

/// How to look into a body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Plan {
    /// Its parts in turn, as a codec does.
    InTurn,
    /// The field of that name alone.
    Probe(usize),
}

impl State {
    /// Begins a run if it may find something below `root`.
    pub(super) fn begin_run(&mut self, root: usize) -> bool {
        self.run += 1;
        self.wanting = wanting(&self.graph);
        self.wanting.get(root).copied().unwrap_or(true) && self.steps < MAX_STEPS
    }

    /// What was on the way when the run panicked; the last of it is to blame.
    pub(super) fn panicked(&mut self) {
        if let Some(step) = self.way.last() {
            self.graph.nodes[step.node].panicked = true;
        }
        self.way.clear();
        self.visits.iter_mut().for_each(|visits| visits.active = 0);
    }

    /// Makes the place a part of `parent` at `slot`, or the root.
    pub(super) fn place(&mut self, parent: Option<(usize, Slot)>, place: Place) -> usize {
        let (node, is_new) = self.graph.node(place);
        if is_new {
            self.visits.push(Visits::default());
            self.progress += 1;
        }
        if let Some((parent, slot)) = parent
            && self.graph.link(parent, slot, node)
        {
            self.progress += 1;
        }
        node
    }

    pub(super) fn enter(&mut self, node: usize) -> Result<(), Blocked> {
        self.steps += 1;
        let visits = &mut self.visits[node];
        let is_blocked = self.steps > MAX_STEPS
            || self.way.len() >= MAX_DEPTH
            || visits.active >= MAX_RECURSION
            || self.graph.nodes[node].panicked;
        if is_blocked {
            return Err(Blocked);
        }
        let is_wanting = self.wanting.get(node).copied().unwrap_or(true);
        let explores = is_wanting && visits.explored_in != self.run;
        if explores {
            visits.explored_in = self.run;
        }
        visits.active += 1;
        self.way.push(Step {
            node,
            explores,
            sample: None,
            variant: None,
            steps: self.steps,
            progress: self.progress,
        });
        Ok(())
    }

    /// Leaves the place that was entered last, with a value or without one.
    pub(super) fn leave(&mut self, made_value: bool) {
        let Some(step) = self.way.pop() else {
            return;
        };
        self.visits[step.node].active -= 1;
        if made_value {
            self.remember_good(&step);
        }
        if step.explores && self.progress == step.progress {
            // It is told as progress, so that those around it go on: in the end each gives up for itself.
            self.progress += 1;
            match (step.variant, &mut self.graph.nodes[step.node].kind) {
                (Some(variant), Kind::Enum(_, variants)) => variants[variant].futile += 1,
                _ => self.graph.nodes[step.node].futile += 1,
            }
        }
    }

    fn remember_good(&mut self, step: &Step) {
        let good = &mut self.visits[step.node].good;
        let mut is_first = step.sample.is_some() && good.is_none();
        if is_first {
            *good = step.sample;
        }
        if let (Some(variant), Kind::Enum(_, variants)) =
            (step.variant, &mut self.graph.nodes[step.node].kind)
        {
            let cost = self.steps - step.steps;
            let known = &mut variants[variant].cost;
            is_first |= known.is_none();
            *known = Some(known.map_or(cost, |known| known.min(cost)));
        }
        if is_first {
            self.progress += 1;
            self.goods += 1;
        }
    }

    /// Says what the place asks for. The first time decides.
    pub(super) fn asks_for(&mut self, node: usize, kind: Kind) -> Result<(), Blocked> {
        let node = &mut self.graph.nodes[node];
        if matches!(node.kind, Kind::Unseen) {
            node.kind = kind;
            self.progress += 1;
            return Ok(());
        }
        if is_same(&node.kind, &kind) {
            return Ok(());
        }
        node.is_mixed = true;
        Err(Blocked)
    }

    /// Says what is in a variant. The first time decides.
    pub(super) fn variant_is(
        &mut self,
        node: usize,
        variant: usize,
        content: Content,
    ) -> Result<(), Blocked> {
        let node = &mut self.graph.nodes[node];
        let Kind::Enum(_, variants) = &mut node.kind else {
            return Err(Blocked);
        };
        let known = &mut variants[variant].content;
        match (&*known, &content) {
            (Content::Unseen, _) => {
                *known = content;
                self.progress += 1;
                Ok(())
            }
            (Content::Unit, Content::Unit) | (Content::Newtype(_), Content::Newtype(_)) => Ok(()),
            (Content::Tuple(known), Content::Tuple(body))
            | (Content::Fields(known), Content::Fields(body))
                if is_same_body(known, body) =>
            {
                Ok(())
            }
            _ => {
                node.is_mixed = true;
                Err(Blocked)
            }
        }
    }

    /// Says as what an enum read the name of a variant.
    pub(super) fn variant_is_read_as(&mut self, node: usize, variant: usize, identity: String) {
        if let Kind::Enum(_, variants) = &mut self.graph.nodes[node].kind {
            variants[variant].identity = Some(identity);
        }
    }

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
            variant.is_worth_it() && (!variant.is_complete() || self.wants(&variant.parts()))
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
        let wanting = std::mem::take(&mut self.wanting);
        let plan = self
            .graph
            .body_mut(node, variant)
            .map(|body| plan(body, &wanting));
        self.wanting = wanting;
        let plan = plan.unwrap_or(Plan::InTurn);
        if let Plan::Probe(index) = plan
            && let Some(probe) = self.probe_mut(node, variant, index)
            && !probe.is_settled()
        {
            probe.tries += 1;
            self.progress += 1;
        }
        plan
    }

    /// Says that all parts of a body were taken in turn.
    pub(super) fn is_whole(&mut self, node: usize, variant: Option<usize>) {
        if let Some(body) = self.graph.body_mut(node, variant)
            && !body.is_whole
        {
            body.is_whole = true;
            self.progress += 1;
        }
    }

    /// Says which field a name stands for.
    pub(super) fn name_is_of(
        &mut self,
        node: usize,
        variant: Option<usize>,
        index: usize,
        field: &'static str,
    ) {
        if let Some(probe) = self.probe_mut(node, variant, index)
            && probe.field.replace(field).is_none()
        {
            self.progress += 1;
        }
    }

    fn probe_mut(&mut self, node: usize, variant: Option<usize>, index: usize) -> Option<&mut Probe> {
        self.graph.body_mut(node, variant)?.probes.get_mut(index)
    }

    fn wants(&self, nodes: &[usize]) -> bool {
        nodes.iter().any(|node| is_wanting(&self.wanting, *node))
    }
}

fn is_wanting(wanting: &[bool], node: usize) -> bool {
    wanting.get(node).copied().unwrap_or(true)
}

fn plan(body: &mut Body, wanting: &[bool]) -> Plan {
    let names = 0..body.probes.len();
    if body.is_whole {
        let unsettled = names.into_iter().find(|index| !body.probes[*index].is_settled());
        return match unsettled {
            Some(index) if body.has_aliases() => Plan::Probe(index),
            _ => Plan::InTurn,
        };
    }
    // A part that cannot be made stands in the way of those after it; a field can be asked for by its name.
    let probes = names.filter(|index| {
        let probe = &body.probes[*index];
        !probe.is_settled() || probe.part.is_some_and(|part| is_wanting(wanting, part))
    });
    let plans: Vec<Plan> = std::iter::once(Plan::InTurn)
        .chain(probes.map(Plan::Probe))
        .collect();
    let plan = plans[body.turn % plans.len()];
    body.turn += 1;
    plan
}

/// For each node, whether something is missing in it or in what it leads to.
fn wanting(graph: &Graph) -> Vec<bool> {
    let mut wanting: Vec<bool> = graph.nodes.iter().map(is_missing).collect();
    loop {
        let before = wanting.clone();
        for (index, node) in graph.nodes.iter().enumerate() {
            wanting[index] |= leads_to_wanting(node, &wanting);
        }
        if wanting == before {
            return wanting;
        }
    }
}

fn is_missing(node: &Node) -> bool {
    if node.panicked || node.is_mixed || node.futile >= node.patience() {
        return false;
    }
    match &node.kind {
        Kind::Unseen | Kind::Option(None) | Kind::Seq(None) | Kind::Newtype(_, None) => true,
        Kind::Map(key, value) => key.is_none() || value.is_none(),
        Kind::Leaf(_) | Kind::UnitStruct(_) | Kind::Option(_) | Kind::Seq(_) | Kind::Newtype(..) => false,
        Kind::Tuple(body) | Kind::TupleStruct(_, body) | Kind::Struct(_, body) => !body.is_complete(),
        Kind::Enum(_, variants) => variants
            .iter()
            .any(|variant| variant.is_worth_it() && !variant.is_complete()),
    }
}

fn leads_to_wanting(node: &Node, wanting: &[bool]) -> bool {
    if node.panicked || node.is_mixed || node.futile >= node.patience() {
        return false;
    }
    let any = |parts: &[usize]| parts.iter().any(|part| wanting[*part]);
    match &node.kind {
        Kind::Enum(_, variants) => {
            let mut worth_it = variants.iter().filter(|variant| variant.is_worth_it());
            worth_it.any(|variant: &Variant| any(&variant.parts()))
        }
        _ => any(&node.parts()),
    }
}

/// Whether both ask for the same, whatever is known of the parts.
fn is_same(one: &Kind, other: &Kind) -> bool {
    match (one, other) {
        (Kind::Leaf(one), Kind::Leaf(other)) => one == other,
        (Kind::Option(_), Kind::Option(_))
        | (Kind::Seq(_), Kind::Seq(_))
        | (Kind::Map(..), Kind::Map(..)) => true,
        (Kind::UnitStruct(one), Kind::UnitStruct(other))
        | (Kind::Newtype(one, _), Kind::Newtype(other, _)) => one == other,
        (Kind::Tuple(one), Kind::Tuple(other)) => is_same_body(one, other),
        (Kind::TupleStruct(name, one), Kind::TupleStruct(other_name, other))
        | (Kind::Struct(name, one), Kind::Struct(other_name, other)) => {
            name == other_name && is_same_body(one, other)
        }
        (Kind::Enum(name, one), Kind::Enum(other_name, other)) => {
            let names =
                |variants: &[Variant]| variants.iter().map(|variant| variant.name).collect::<Vec<_>>();
            name == other_name && names(one) == names(other)
        }
        _ => false,
    }
}

fn is_same_body(one: &Body, other: &Body) -> bool {
    (one.offered, one.names) == (other.offered, other.names)
}
