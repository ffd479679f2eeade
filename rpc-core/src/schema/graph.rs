//! What has been seen of the types: a node for each place where a value stands, and the nodes of its parts.

use std::any::TypeId;
use std::collections::HashMap;

/// What tells places apart. Two places of the same type may differ; they are found to be equal when all is seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Place {
    /// What a seed of that type makes.
    Seed(TypeId),
    /// What is in the `Some` that a visitor of that type takes.
    Some(TypeId),
    /// What is in the newtype that a visitor of that type takes.
    Newtype(TypeId),
}

impl Place {
    pub(super) fn seed<S>() -> Self {
        Self::Seed(typeid::of::<S>())
    }

    pub(super) fn some<V>() -> Self {
        Self::Some(typeid::of::<V>())
    }

    pub(super) fn newtype<V>() -> Self {
        Self::Newtype(typeid::of::<V>())
    }
}

/// All nodes. The first of a place stays its node.
#[derive(Debug, Default)]
pub(super) struct Graph {
    pub(super) nodes: Vec<Node>,
    places: HashMap<Place, usize>,
}

/// One place.
#[derive(Debug, Default)]
pub(super) struct Node {
    pub(super) kind: Kind,
    /// It asked for one thing once and for another later, or its parts did.
    pub(super) is_mixed: bool,
    /// Its Deserialize panicked and is not run again.
    pub(super) panicked: bool,
    /// How often it was looked into without finding anything.
    pub(super) futile: usize,
}

/// What a place asked the format for.
#[derive(Debug, Default)]
pub(super) enum Kind {
    /// It has not been entered yet, or asked for nothing.
    #[default]
    Unseen,
    Leaf(Leaf),
    UnitStruct(&'static str),
    Option(Option<usize>),
    Seq(Option<usize>),
    Map(Option<usize>, Option<usize>),
    Newtype(&'static str, Option<usize>),
    Tuple(Body),
    TupleStruct(&'static str, Body),
    Struct(&'static str, Body),
    Enum(&'static str, Vec<Variant>),
}

/// A value without parts: its word in the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Leaf {
    Word(&'static str),
    Unit,
    Bytes,
    /// What only a format can give that says itself what comes next.
    Any,
    /// The name of a field or variant as a value, which no codec sends.
    Identifier,
}

/// Several parts, one after another.
#[derive(Debug)]
pub(super) struct Body {
    /// How many parts it may have.
    pub(super) offered: usize,
    /// The names of its fields with their aliases, or nothing.
    pub(super) names: &'static [&'static str],
    /// The parts that were taken in turn.
    pub(super) parts: Vec<usize>,
    /// Whether all of `parts` were taken, so that these are all that there are.
    pub(super) is_whole: bool,
    /// For each name what is known by asking for that field alone.
    pub(super) probes: Vec<Probe>,
    /// Which way was taken last to look into it.
    pub(super) turn: usize,
}

/// What is known of one name of a field.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Probe {
    pub(super) part: Option<usize>,
    /// The field that the name belongs to; another name if this is an alias.
    pub(super) field: Option<&'static str>,
    pub(super) tries: usize,
}

/// How often a field's name is asked for before it is taken for no alias.
const PROBES: usize = 2;

impl Probe {
    pub(super) fn is_settled(&self) -> bool {
        self.field.is_some() || self.tries >= PROBES
    }
}

/// One name of an enum's variant, which may be an alias.
#[derive(Debug)]
pub(super) struct Variant {
    pub(super) name: &'static str,
    pub(super) content: Content,
    /// What the name was read as, if that can be told.
    pub(super) identity: Option<String>,
    /// The least steps in which a value of it was made.
    pub(super) cost: Option<usize>,
    pub(super) tries: usize,
    pub(super) futile: usize,
}

/// What is in a variant.
#[derive(Debug, Default)]
pub(super) enum Content {
    #[default]
    Unseen,
    Unit,
    Newtype(Option<usize>),
    Tuple(Body),
    Fields(Body),
}

/// Where in its parent a part stands.
#[derive(Clone, Copy, Debug)]
pub(super) enum Slot {
    /// The one part, or each of them.
    Only,
    Key,
    Value,
    /// In turn, of the struct or of this variant.
    Part(Option<usize>, usize),
    /// By the index of its name, of the struct or of this variant.
    Named(Option<usize>, usize),
    /// The one part of this variant.
    Variant(usize),
}

impl Graph {
    /// The node of a place, and whether it is new.
    pub(super) fn node(&mut self, place: Place) -> (usize, bool) {
        let next = self.nodes.len();
        let node = *self.places.entry(place).or_insert(next);
        if node == next {
            self.nodes.push(Node::default());
        }
        (node, node == next)
    }

    /// The body of a struct, or of one of an enum's variants.
    pub(super) fn body_mut(&mut self, node: usize, variant: Option<usize>) -> Option<&mut Body> {
        match (&mut self.nodes[node].kind, variant) {
            (Kind::Tuple(body) | Kind::TupleStruct(_, body) | Kind::Struct(_, body), None) => Some(body),
            (Kind::Enum(_, variants), Some(variant)) => match &mut variants.get_mut(variant)?.content {
                Content::Tuple(body) | Content::Fields(body) => Some(body),
                _ => None,
            },
            _ => None,
        }
    }

    /// Makes `child` the part at `slot`; whether nobody knew of it.
    pub(super) fn link(&mut self, node: usize, slot: Slot, child: usize) -> bool {
        if let Slot::Part(variant, index) = slot {
            return self.link_part(node, variant, index, child);
        }
        let Some(part) = self.part_mut(node, slot) else {
            self.nodes[node].is_mixed = true;
            return false;
        };
        match *part {
            Some(known) => {
                self.nodes[node].is_mixed |= known != child;
                false
            }
            None => {
                *part = Some(child);
                true
            }
        }
    }

    fn part_mut(&mut self, node: usize, slot: Slot) -> Option<&mut Option<usize>> {
        if let Slot::Named(variant, index) = slot {
            return Some(&mut self.body_mut(node, variant)?.probes.get_mut(index)?.part);
        }
        match (slot, &mut self.nodes[node].kind) {
            (Slot::Only, Kind::Option(child) | Kind::Seq(child) | Kind::Newtype(_, child)) => Some(child),
            (Slot::Key, Kind::Map(key, _)) => Some(key),
            (Slot::Value, Kind::Map(_, value)) => Some(value),
            (Slot::Variant(variant), Kind::Enum(_, variants)) => match &mut variants[variant].content {
                Content::Newtype(child) => Some(child),
                _ => None,
            },
            _ => None,
        }
    }

    /// Makes `child` the part at `index` of a body; whether nobody knew of it.
    fn link_part(&mut self, node: usize, variant: Option<usize>, index: usize, child: usize) -> bool {
        let known = self.body_mut(node, variant).map(|body| {
            let known = body.parts.get(index).copied();
            if known.is_none() {
                body.parts.push(child);
            }
            known
        });
        self.nodes[node].is_mixed |= match known {
            Some(Some(known)) => known != child,
            Some(None) => false,
            None => true,
        };
        known == Some(None)
    }
}

impl Node {
    /// How often it is worth looking into without finding anything.
    pub(super) fn patience(&self) -> usize {
        match &self.kind {
            Kind::Struct(_, body) => body.patience(),
            _ => PATIENCE,
        }
    }

    /// The nodes of all its parts.
    pub(super) fn parts(&self) -> Vec<usize> {
        match &self.kind {
            Kind::Unseen | Kind::Leaf(_) | Kind::UnitStruct(_) => Vec::new(),
            Kind::Option(part) | Kind::Seq(part) | Kind::Newtype(_, part) => part.iter().copied().collect(),
            Kind::Map(key, value) => key.iter().chain(value).copied().collect(),
            Kind::Tuple(body) | Kind::TupleStruct(_, body) | Kind::Struct(_, body) => {
                body.all_parts().collect()
            }
            Kind::Enum(_, variants) => variants.iter().flat_map(Variant::parts).collect(),
        }
    }
}

/// How often something is looked into without finding anything before it is left alone.
const PATIENCE: usize = 3;

impl Body {
    pub(super) fn new(offered: usize, names: &'static [&'static str]) -> Self {
        Self {
            offered,
            names,
            parts: Vec::new(),
            is_whole: false,
            probes: vec![Probe::default(); names.len()],
            turn: 0,
        }
    }

    pub(super) fn all_parts(&self) -> impl Iterator<Item = usize> + '_ {
        let probed = self.probes.iter().filter_map(|probe| probe.part);
        self.parts.iter().copied().chain(probed)
    }

    /// Whether there are more names than fields, so that some must be aliases.
    pub(super) fn has_aliases(&self) -> bool {
        self.is_whole && self.parts.len() < self.names.len()
    }

    pub(super) fn is_complete(&self) -> bool {
        self.is_whole && (!self.has_aliases() || self.probes.iter().all(Probe::is_settled))
    }

    fn patience(&self) -> usize {
        PATIENCE + self.names.len()
    }
}

impl Variant {
    pub(super) fn new(name: &'static str) -> Self {
        Self {
            name,
            content: Content::Unseen,
            identity: None,
            cost: None,
            tries: 0,
            futile: 0,
        }
    }

    pub(super) fn parts(&self) -> Vec<usize> {
        match &self.content {
            Content::Unseen | Content::Unit => Vec::new(),
            Content::Newtype(part) => part.iter().copied().collect(),
            Content::Tuple(body) | Content::Fields(body) => body.all_parts().collect(),
        }
    }

    /// Whether looking into it again may find something.
    pub(super) fn is_worth_it(&self) -> bool {
        let patience = match &self.content {
            Content::Tuple(body) | Content::Fields(body) => body.patience(),
            _ => PATIENCE,
        };
        self.futile < patience
    }

    pub(super) fn is_complete(&self) -> bool {
        match &self.content {
            Content::Unseen | Content::Newtype(None) => false,
            Content::Unit | Content::Newtype(Some(_)) => true,
            Content::Tuple(body) | Content::Fields(body) => body.is_complete(),
        }
    }
}
