//! What is still missing, and how to look for it.

use super::graph::{Body, Graph, Kind, Node, Variant};

/// For each node that was known when a run began, whether something is missing in it or in what it leads to.
#[derive(Default)]
pub(super) struct Wanting(Vec<bool>);

/// How to look into a body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Plan {
    /// Its parts in turn, as a codec does.
    InTurn,
    /// The field of that name alone.
    Probe(usize),
}

impl Wanting {
    pub(super) fn of(graph: &Graph) -> Self {
        let mut wanting: Vec<bool> = graph.nodes.iter().map(is_missing).collect();
        loop {
            let before = wanting.clone();
            for (index, node) in graph.nodes.iter().enumerate() {
                wanting[index] |= leads_to(node, &wanting);
            }
            if wanting == before {
                return Self(wanting);
            }
        }
    }

    /// Whether something is missing there. What came up since the run began has not been looked into.
    pub(super) fn has(&self, node: usize) -> bool {
        self.0.get(node).copied().unwrap_or(true)
    }

    pub(super) fn has_any(&self, nodes: &[usize]) -> bool {
        nodes.iter().any(|node| self.has(*node))
    }

    /// How to look into a body next.
    pub(super) fn plan(&self, body: &mut Body) -> Plan {
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
            !probe.is_settled() || probe.part.is_some_and(|part| self.has(part))
        });
        let plans: Vec<Plan> = std::iter::once(Plan::InTurn)
            .chain(probes.map(Plan::Probe))
            .collect();
        let plan = plans[body.turn % plans.len()];
        body.turn += 1;
        plan
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

fn leads_to(node: &Node, wanting: &[bool]) -> bool {
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
