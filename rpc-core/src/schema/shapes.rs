//! What was seen, as shapes: what goes over the wire, without what it took to see it.

use std::collections::HashMap;

use super::graph::{self, Body, Graph, Kind, Leaf, Node};
use super::model::{ANY, UNSEEN};

/// Shapes that refer to one another.
#[derive(Debug)]
pub(super) struct Shapes {
    pub(super) all: Vec<Shape>,
    words: HashMap<&'static str, usize>,
}

/// One shape.
#[derive(Debug)]
pub(super) struct Shape {
    pub(super) label: Label,
    /// In the order in which the label names them. Of a tuple of equal parts only one.
    pub(super) parts: Vec<usize>,
}

/// What a shape is, but for its parts.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum Label {
    Word(&'static str),
    Option,
    Seq,
    Map,
    Result,
    Tuple(usize),
    Struct(&'static str, Form),
    Enum(&'static str, Vec<(String, Form)>),
}

/// How the parts of a struct or variant are put together.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum Form {
    Unit,
    Newtype,
    Tuple(usize),
    Fields(Vec<&'static str>),
}

impl Form {
    /// How many parts it has.
    pub(super) fn len(&self) -> usize {
        match self {
            Self::Unit => 0,
            Self::Newtype => 1,
            Self::Tuple(len) => *len,
            Self::Fields(names) => names.len(),
        }
    }
}

/// A tuple that was not seen whole is written out up to this length.
const WRITTEN_OUT: usize = 32;

impl Shapes {
    pub(super) fn new() -> Self {
        Self {
            all: Vec::new(),
            words: HashMap::new(),
        }
    }

    /// Adds all that is in `graph`; how far its nodes are moved.
    pub(super) fn add(&mut self, graph: &Graph) -> usize {
        let base = self.all.len();
        // The nodes keep their order, so that their parts are found: what is added for them comes after.
        let unseen = || Shape {
            label: Label::Word(UNSEEN),
            parts: Vec::new(),
        };
        self.all.resize_with(base + graph.nodes.len(), unseen);
        for (index, node) in graph.nodes.iter().enumerate() {
            self.all[base + index] = self.shape(node, base);
        }
        base
    }

    /// A shape without parts.
    pub(super) fn word(&mut self, word: &'static str) -> usize {
        if let Some(known) = self.words.get(word) {
            return *known;
        }
        self.all.push(Shape {
            label: Label::Word(word),
            parts: Vec::new(),
        });
        self.words.insert(word, self.all.len() - 1);
        self.all.len() - 1
    }

    fn shape(&mut self, node: &Node, base: usize) -> Shape {
        let part = |shapes: &mut Self, node: Option<usize>| match node {
            Some(node) => base + node,
            None => shapes.word(UNSEEN),
        };
        let (label, parts) = match &node.kind {
            kind if node.is_mixed => match mixed(kind) {
                Some(label) => (label, vec![self.word(UNSEEN)]),
                None => (Label::Word(UNSEEN), vec![]),
            },
            Kind::Unseen | Kind::Leaf(Leaf::Identifier) => (Label::Word(UNSEEN), vec![]),
            Kind::Leaf(Leaf::Word(word)) => (Label::Word(word), vec![]),
            Kind::Leaf(Leaf::Any) => (Label::Word(ANY), vec![]),
            Kind::Leaf(Leaf::Unit) => (Label::Tuple(0), vec![]),
            Kind::Leaf(Leaf::Bytes) => (Label::Seq, vec![self.word("u8")]),
            Kind::UnitStruct(name) => (Label::Struct(name, Form::Unit), vec![]),
            Kind::Option(some) => (Label::Option, vec![part(self, *some)]),
            Kind::Seq(element) => (Label::Seq, vec![part(self, *element)]),
            Kind::Map(key, value) => (Label::Map, vec![part(self, *key), part(self, *value)]),
            Kind::Newtype(name, inner) => (Label::Struct(name, Form::Newtype), vec![part(self, *inner)]),
            Kind::Tuple(body) => {
                let (len, parts) = self.tuple(body, base);
                (Label::Tuple(len), parts)
            }
            Kind::TupleStruct(name, body) => {
                let (form, parts) = self.tuple_form(body, base);
                (Label::Struct(name, form), parts)
            }
            Kind::Struct(name, body) => {
                let (form, parts) = self.fields_form(body, base);
                (Label::Struct(name, form), parts)
            }
            Kind::Enum(name, variants) => self.variants(name, variants, base),
        };
        Shape { label, parts }
    }

    fn tuple(&mut self, body: &Body, base: usize) -> (usize, Vec<usize>) {
        let mut parts: Vec<usize> = body.parts.iter().map(|part| base + part).collect();
        if body.is_whole {
            let len = parts.len();
            if len > 1 && parts.iter().all(|part| *part == parts[0]) {
                parts.truncate(1);
            }
            return (len, parts);
        }
        let unseen = self.word(UNSEEN);
        if body.offered > WRITTEN_OUT {
            return (body.offered, vec![unseen]);
        }
        parts.resize(body.offered, unseen);
        (body.offered, parts)
    }

    fn tuple_form(&mut self, body: &Body, base: usize) -> (Form, Vec<usize>) {
        let (len, mut parts) = self.tuple(body, base);
        if let [one] = parts[..] {
            parts.resize(len, one);
        }
        (Form::Tuple(len), parts)
    }

    fn fields_form(&mut self, body: &Body, base: usize) -> (Form, Vec<usize>) {
        let (names, parts): (Vec<_>, Vec<_>) = fields(body).into_iter().unzip();
        let parts = parts.into_iter().map(|part: Option<usize>| match part {
            Some(part) => base + part,
            None => self.word(UNSEEN),
        });
        (Form::Fields(names), parts.collect())
    }

    fn variants(
        &mut self,
        name: &'static str,
        variants: &[graph::Variant],
        base: usize,
    ) -> (Label, Vec<usize>) {
        let (mut forms, mut parts) = (Vec::new(), Vec::new());
        for (names, variant) in without_aliases(variants) {
            let (form, its_parts) = match &variant.content {
                graph::Content::Unit => (Form::Unit, vec![]),
                graph::Content::Unseen | graph::Content::Newtype(None) => {
                    (Form::Newtype, vec![self.word(UNSEEN)])
                }
                graph::Content::Newtype(Some(part)) => (Form::Newtype, vec![base + part]),
                graph::Content::Tuple(body) => self.tuple_form(body, base),
                graph::Content::Fields(body) => self.fields_form(body, base),
            };
            forms.push((names, form));
            parts.extend(its_parts);
        }
        let is_result = name == "Result"
            && matches!(&forms[..], [(ok, Form::Newtype), (err, Form::Newtype)] if ok == "Ok" && err == "Err");
        let label = if is_result {
            Label::Result
        } else {
            Label::Enum(name, forms)
        };
        (label, parts)
    }
}

/// What remains of a place that asked for different things: its name, or of what it is.
fn mixed(kind: &Kind) -> Option<Label> {
    match kind {
        Kind::Newtype(name, _) | Kind::TupleStruct(name, _) | Kind::Struct(name, _) | Kind::Enum(name, _) => {
            Some(Label::Struct(name, Form::Newtype))
        }
        Kind::Seq(_) => Some(Label::Seq),
        Kind::Option(_) => Some(Label::Option),
        _ => None,
    }
}

/// The fields of a struct, without aliases.
fn fields(body: &Body) -> Vec<(&'static str, Option<usize>)> {
    let mut names: Vec<(&'static str, Option<usize>)> = Vec::new();
    for (name, probe) in body.names.iter().zip(&body.probes) {
        let field = probe.field.unwrap_or(name);
        match names.iter_mut().find(|(known, _)| *known == field) {
            Some((_, part)) => *part = part.or(probe.part),
            None => names.push((field, probe.part)),
        }
    }
    if body.is_whole {
        names.truncate(body.parts.len());
    }
    let in_order = body.is_whole || names.len() == body.names.len();
    if in_order {
        for ((_, part), taken) in names.iter_mut().zip(&body.parts) {
            *part = Some(*taken);
        }
    }
    names
}

/// The variants of an enum, each with all its names, separated by `|`.
fn without_aliases(variants: &[graph::Variant]) -> Vec<(String, &graph::Variant)> {
    let identities: Option<Vec<&str>> = variants
        .iter()
        .map(|variant| variant.identity.as_deref())
        .collect();
    // An enum that was not derived may read its variants as something that is no enum and tells nothing.
    let tells = identities.is_some_and(|all| all.iter().any(|one| *one != all[0]));
    let mut groups: Vec<(String, &graph::Variant)> = Vec::new();
    for variant in variants {
        let same = groups
            .iter_mut()
            .find(|(_, first)| tells && first.identity == variant.identity);
        match same {
            Some((names, _)) => {
                names.push('|');
                names.push_str(variant.name);
            }
            None => groups.push((variant.name.to_owned(), variant)),
        }
    }
    groups
}
