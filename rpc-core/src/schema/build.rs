//! Shapes as types: which have names, in which order, and what refers to them.

use std::collections::{HashMap, HashSet};

use super::model::{Content, Definition, Field, Form, Type, Variant, needs_number};
use super::shapes::{self, Label, Shape, Shapes};

/// The name of a type without one that contains itself.
const RECURSIVE: &str = "Recursive";

/// Makes types of shapes. Names are given in the order in which types are asked for.
pub(super) struct Types<'s> {
    shapes: &'s Shapes,
    classes: Vec<usize>,
    /// One shape of each class.
    first: HashMap<usize, usize>,
    /// Classes without a name that contain themselves.
    recursive: HashSet<usize>,
    names: HashMap<usize, String>,
    /// How many types have a name.
    numbers: HashMap<String, usize>,
    definitions: Vec<Definition>,
}

impl<'s> Types<'s> {
    pub(super) fn new(shapes: &'s Shapes) -> Self {
        let classes = shapes.classes();
        let mut first = HashMap::new();
        for (index, class) in classes.iter().enumerate() {
            first.entry(*class).or_insert(index);
        }
        Self {
            shapes,
            classes,
            first,
            recursive: HashSet::new(),
            names: HashMap::new(),
            numbers: HashMap::new(),
            definitions: Vec::new(),
        }
    }

    /// The type of a shape.
    pub(super) fn of(&mut self, shape: usize) -> Type {
        let class = self.classes[shape];
        self.find_recursive(class, &mut Vec::new(), &mut HashSet::new());
        self.ty(class)
    }

    /// The types that have names, in the order of their first use.
    pub(super) fn into_definitions(self) -> Vec<Definition> {
        self.definitions
    }

    fn shape(&self, class: usize) -> &'s Shape {
        &self.shapes.all[self.first[&class]]
    }

    fn parts(&self, class: usize) -> Vec<usize> {
        self.shape(class)
            .parts
            .iter()
            .map(|part| self.classes[*part])
            .collect()
    }

    /// Finds classes that lead back to themselves without passing one that has a name.
    fn find_recursive(&mut self, class: usize, way: &mut Vec<usize>, done: &mut HashSet<usize>) {
        if way.contains(&class) {
            self.recursive.insert(class);
            return;
        }
        if !done.insert(class) {
            return;
        }
        let is_named = serde_name(&self.shape(class).label).is_some();
        let mut fresh = Vec::new();
        let way = if is_named { &mut fresh } else { way };
        if !is_named {
            way.push(class);
        }
        for part in self.parts(class) {
            self.find_recursive(part, way, done);
        }
        if !is_named {
            way.pop();
        }
    }

    fn ty(&mut self, class: usize) -> Type {
        let name = match serde_name(&self.shape(class).label) {
            Some(name) => name,
            None if self.recursive.contains(&class) => RECURSIVE,
            None => return self.unnamed(class),
        };
        if let Some(known) = self.names.get(&class) {
            return Type::Named(known.clone());
        }
        let name = self.numbered(name);
        self.names.insert(class, name.clone());
        // Its place comes before those of the types in it.
        let at = self.definitions.len();
        let form = Form::Struct(Content::Unit);
        let definition = Definition {
            name: name.clone(),
            form,
        };
        self.definitions.push(definition);
        self.definitions[at].form = self.form(class);
        Type::Named(name)
    }

    fn numbered(&mut self, name: &str) -> String {
        let number = self.numbers.entry(name.to_owned()).or_default();
        *number += 1;
        match *number {
            1 if !needs_number(name) => name.to_owned(),
            number => format!("{name}#{number}"),
        }
    }

    fn unnamed(&mut self, class: usize) -> Type {
        let shape = self.shape(class);
        let label = &shape.label;
        let parts: Vec<Type> = self.parts(class).into_iter().map(|part| self.ty(part)).collect();
        let mut boxed = parts.iter().cloned().map(Box::new);
        match (label, boxed.next(), boxed.next()) {
            (Label::Word(word), ..) => Type::Word(word),
            (Label::Option, Some(some), _) => Type::Option(some),
            (Label::Seq, Some(element), _) => Type::Vec(element),
            (Label::Map, Some(key), Some(value)) => Type::Map(key, value),
            (Label::Result, Some(ok), Some(error)) => Type::Result(ok, error),
            (Label::Tuple(len), Some(part), _) if *len > 1 && parts.iter().all(|other| *other == *part) => {
                Type::Array(part, *len)
            }
            _ => Type::Tuple(parts),
        }
    }

    fn form(&mut self, class: usize) -> Form {
        let shape = self.shape(class);
        let mut parts = self.parts(class).into_iter();
        match &shape.label {
            Label::Struct(_, form) => Form::Struct(self.content(form, &mut parts)),
            Label::Enum(_, variants) => {
                let variants = variants.iter().map(|(name, form)| Variant {
                    name: name.clone(),
                    content: self.content(form, &mut parts),
                });
                Form::Enum(variants.collect())
            }
            _ => Form::Alias(self.unnamed(class)),
        }
    }

    fn content(&mut self, form: &shapes::Form, parts: &mut impl Iterator<Item = usize>) -> Content {
        let mut types: Vec<Type> = parts.take(form.len()).map(|part| self.ty(part)).collect();
        match form {
            shapes::Form::Unit => Content::Unit,
            shapes::Form::Newtype => Content::Newtype(types.pop().unwrap_or(Type::UNSEEN)),
            shapes::Form::Tuple(_) => Content::Tuple(types),
            shapes::Form::Fields(names) => {
                let fields = names.iter().zip(types).map(|(name, ty)| Field {
                    name: (*name).to_owned(),
                    ty,
                });
                Content::Fields(fields.collect())
            }
        }
    }
}

/// The name that a type of this label is written by.
fn serde_name(label: &Label) -> Option<&'static str> {
    match label {
        Label::Struct(name, _) | Label::Enum(name, _) => Some(name),
        Label::Word(_) | Label::Option | Label::Seq | Label::Map | Label::Result | Label::Tuple(_) => None,
    }
}
