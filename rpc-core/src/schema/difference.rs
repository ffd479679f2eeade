//! Where two shapes of a method differ.

use std::collections::HashSet;

use super::model::{Content, Definition, Field, Form, Signature, Type, Variant};

/// One thing that differs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Difference {
    /// The argument, result, field or variant: `struct Entry, field rank`.
    pub(super) at: String,
    /// What the first of both has there.
    pub(super) old: Option<String>,
    /// What the second has.
    pub(super) new: Option<String>,
}

/// One end of a comparison: a method, and the types that it names.
#[derive(Clone, Copy)]
pub(super) struct Side<'a> {
    pub(super) method: &'a Signature,
    pub(super) types: &'a [Definition],
}

/// All differences between two shapes of a method. Names of arguments do not count. A type whose definition one end does
/// not have is taken for equal, as in a text that was cut off.
pub(super) fn between(old: Side<'_>, new: Side<'_>) -> Vec<Difference> {
    let mut walk = Walk {
        old: old.types,
        new: new.types,
        seen: HashSet::new(),
        found: Vec::new(),
    };
    let (before, after) = (&old.method.arguments, &new.method.arguments);
    for index in 0..before.len().max(after.len()) {
        let at = format!("argument {}", index + 1);
        match (before.get(index), after.get(index)) {
            (Some(old), Some(new)) => walk.types(&at, &old.ty, &new.ty),
            (old, new) => {
                walk.differs(
                    &at,
                    old.map(|old| old.ty.to_string()),
                    new.map(|new| new.ty.to_string()),
                );
            }
        }
    }
    walk.types("result", &old.method.output, &new.method.output);
    walk.found
}

struct Walk<'a> {
    old: &'a [Definition],
    new: &'a [Definition],
    /// The pairs of names that are compared already.
    seen: HashSet<(&'a str, &'a str)>,
    found: Vec<Difference>,
}

impl<'a> Walk<'a> {
    fn differs(&mut self, at: &str, old: Option<String>, new: Option<String>) {
        let at = at.to_owned();
        self.found.push(Difference { at, old, new });
    }

    fn became(&mut self, at: &str, old: &impl ToString, new: &impl ToString) {
        self.differs(at, Some(old.to_string()), Some(new.to_string()));
    }

    fn types(&mut self, at: &str, old: &'a Type, new: &'a Type) {
        match (old, new) {
            (Type::Named(old), Type::Named(new)) => self.named(at, old, new),
            (Type::Option(old), Type::Option(new))
            | (Type::Vec(old), Type::Vec(new))
            | (Type::ResultAsValue(old), Type::ResultAsValue(new))
            | (Type::Stream(old, None), Type::Stream(new, None)) => self.types(at, old, new),
            (Type::Map(old, old_other), Type::Map(new, new_other))
            | (Type::Result(old, old_other), Type::Result(new, new_other))
            | (Type::Stream(old, Some(old_other)), Type::Stream(new, Some(new_other))) => {
                self.types(at, old, new);
                self.types(at, old_other, new_other);
            }
            (Type::Array(old, old_len), Type::Array(new, new_len)) if old_len == new_len => {
                self.types(at, old, new);
            }
            (Type::Tuple(old), Type::Tuple(new)) if old.len() == new.len() => self.each(at, old, new),
            (old, new) if old == new => {}
            (old, new) => self.became(at, old, new),
        }
    }

    fn each(&mut self, at: &str, old: &'a [Type], new: &'a [Type]) {
        for (old, new) in old.iter().zip(new) {
            self.types(at, old, new);
        }
    }

    fn named(&mut self, at: &str, old: &'a str, new: &'a str) {
        if !self.seen.insert((old, new)) {
            return;
        }
        let find = |types: &'a [Definition], name: &str| types.iter().find(|one| one.name == name);
        let (Some(old), Some(new)) = (find(self.old, old), find(self.new, new)) else {
            return;
        };
        if old.serde_name() != new.serde_name() {
            return self.became(at, &old.name, &new.name);
        }
        match (&old.form, &new.form) {
            (Form::Struct(before), Form::Struct(after)) if before.is_like(after) => {
                self.contents(&format!("struct {}", old.name), before, after);
            }
            (Form::Enum(before), Form::Enum(after)) => {
                let at = format!("enum {}", old.name);
                self.parts(&at, "variant", before, after, Self::variants);
            }
            (Form::Alias(before), Form::Alias(after)) => self.types(at, before, after),
            _ => self.became(at, old, new),
        }
    }

    fn variants(&mut self, at: &str, old: &'a Variant, new: &'a Variant) {
        match old.content.is_like(&new.content) {
            true => self.contents(at, &old.content, &new.content),
            false => self.became(at, old, new),
        }
    }

    /// Two contents that are alike.
    fn contents(&mut self, at: &str, old: &'a Content, new: &'a Content) {
        match (old, new) {
            (Content::Newtype(old), Content::Newtype(new)) => self.types(at, old, new),
            (Content::Tuple(old), Content::Tuple(new)) => self.each(at, old, new),
            (Content::Fields(old), Content::Fields(new)) => {
                self.parts(at, "field", old, new, |walk, at, old: &Field, new| {
                    walk.types(at, &old.ty, &new.ty);
                });
            }
            _ => {}
        }
    }

    /// Fields or variants, by their names.
    fn parts<T: Named>(
        &mut self,
        at: &str,
        what: &str,
        old: &'a [T],
        new: &'a [T],
        compare: impl Fn(&mut Self, &str, &'a T, &'a T),
    ) {
        let twin = |one: &T, others: &'a [T]| others.iter().find(|other| other.name() == one.name());
        let before = self.found.len();
        for gone in old.iter().filter(|part| twin(part, new).is_none()) {
            self.differs(at, Some(format!("{what} `{gone}`")), None);
        }
        for come in new.iter().filter(|part| twin(part, old).is_none()) {
            self.differs(at, None, Some(format!("{what} `{come}`")));
        }
        let is_moved = || old.iter().map(T::name).ne(new.iter().map(T::name));
        if self.found.len() == before && is_moved() {
            let order = |parts: &[T]| parts.iter().map(T::name).collect::<Vec<_>>().join(", ");
            self.became(&format!("{at}, order"), &order(old), &order(new));
        }
        for one in old {
            if let Some(other) = twin(one, new) {
                compare(self, &format!("{at}, {what} {}", one.name()), one, other);
            }
        }
    }
}

trait Named: ToString + std::fmt::Display {
    fn name(&self) -> &str;
}

impl Named for Field {
    fn name(&self) -> &str {
        &self.name
    }
}

impl Named for Variant {
    fn name(&self) -> &str {
        &self.name
    }
}

impl Content {
    /// Whether both have parts in the same way, so that these can be compared one by one.
    fn is_like(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Unit, Self::Unit)
            | (Self::Newtype(_), Self::Newtype(_))
            | (Self::Fields(_), Self::Fields(_)) => true,
            (Self::Tuple(one), Self::Tuple(other)) => one.len() == other.len(),
            _ => false,
        }
    }
}
