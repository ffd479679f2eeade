//! What is known of the types that are traced, and where the present run is.

use super::graph::{Content, Graph, Kind, Place, Probe, Slot};
use super::wanting::Wanting;

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
    pub(super) visits: Vec<Visits>,
    pub(super) wanting: Wanting,
    run: usize,
    pub(super) way: Vec<Step>,
    steps: usize,
    /// Goes up whenever something was found or tried for the first time.
    pub(super) progress: usize,
    /// Goes up whenever a value was made where none could be made before.
    pub(super) goods: usize,
}

#[derive(Default)]
pub(super) struct Visits {
    explored_in: usize,
    active: usize,
    /// The sample that was taken.
    pub(super) good: Option<usize>,
    pub(super) tried: usize,
    pub(super) goods_at_retry: usize,
}

/// A place on the way from the root.
pub(super) struct Step {
    pub(super) node: usize,
    pub(super) explores: bool,
    pub(super) sample: Option<usize>,
    pub(super) variant: Option<usize>,
    steps: usize,
    progress: usize,
}

impl State {
    /// Begins a run if it may find something below `root`.
    pub(super) fn begin_run(&mut self, root: usize) -> bool {
        self.run += 1;
        self.wanting = Wanting::of(&self.graph);
        self.wanting.has(root) && self.steps < MAX_STEPS
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
        let is_wanting = self.wanting.has(node);
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
        if node.kind.is_same(&kind) {
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
        if matches!(known, Content::Unseen) {
            *known = content;
            self.progress += 1;
            return Ok(());
        }
        if known.is_same(&content) {
            return Ok(());
        }
        node.is_mixed = true;
        Err(Blocked)
    }

    /// Says as what an enum read the name of a variant.
    pub(super) fn variant_is_read_as(&mut self, node: usize, variant: usize, identity: String) {
        if let Kind::Enum(_, variants) = &mut self.graph.nodes[node].kind {
            variants[variant].identity = Some(identity);
        }
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

    pub(super) fn probe_mut(
        &mut self,
        node: usize,
        variant: Option<usize>,
        index: usize,
    ) -> Option<&mut Probe> {
        self.graph.body_mut(node, variant)?.probes.get_mut(index)
    }
}
