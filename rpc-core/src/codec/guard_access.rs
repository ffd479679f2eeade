//! The guard around what a value is made of: elements, entries, fields.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};

use super::error::DecodeErrorKind;
use super::guard_de::Inside;

/// A visitor that sees only guarded parts.
pub(super) struct GuardVisitor<'m, V> {
    visitor: V,
    inside: Inside<'m>,
    form: Form,
}

/// What a value is made of.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// One value: an `Option`, a newtype.
    Single,
    /// As many as the body announces.
    Sequence,
    /// As many as the type has.
    Tuple,
    /// As many as the type has, some of which may be skipped.
    Fields,
}

impl<'m, V> GuardVisitor<'m, V> {
    #[inline]
    pub(super) fn new(visitor: V, inside: Inside<'m>, form: Form) -> Self {
        Self {
            visitor,
            inside,
            form,
        }
    }
}

impl<'de, V: Visitor<'de>> Visitor<'de> for GuardVisitor<'_, V> {
    type Value = V::Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.visitor.expecting(f)
    }

    #[inline]
    fn visit_none<E: Error>(self) -> Result<V::Value, E> {
        self.visitor.visit_none()
    }

    #[inline]
    fn visit_some<D: Deserializer<'de>>(self, inner: D) -> Result<V::Value, D::Error> {
        self.visitor.visit_some(self.inside.down()?.guard(inner))
    }

    #[inline]
    fn visit_newtype_struct<D: Deserializer<'de>>(self, inner: D) -> Result<V::Value, D::Error> {
        self.visitor
            .visit_newtype_struct(self.inside.down()?.guard(inner))
    }

    #[inline]
    fn visit_seq<A: SeqAccess<'de>>(self, inner: A) -> Result<V::Value, A::Error> {
        if self.form == Form::Sequence {
            self.inside.announce(inner.size_hint().unwrap_or(0))?;
        }
        let mut elements = Elements::new(inner, self.inside);
        let value = self.visitor.visit_seq(&mut elements)?;
        match self.form {
            // An alias makes a struct announce more fields than it has: what counts is how many were read.
            Form::Fields => self.inside.add_fields(elements.read),
            _ => check_all_read(self.inside, elements.inner.size_hint())?,
        }
        Ok(value)
    }

    #[inline]
    fn visit_map<A: MapAccess<'de>>(self, inner: A) -> Result<V::Value, A::Error> {
        self.inside.announce(inner.size_hint().unwrap_or(0))?;
        let mut entries = Elements::new(inner, self.inside);
        let value = self.visitor.visit_map(&mut entries)?;
        check_all_read(self.inside, entries.inner.size_hint())?;
        Ok(value)
    }
}

#[inline]
fn check_all_read<E: Error>(inside: Inside<'_>, left: Option<usize>) -> Result<(), E> {
    match left {
        None | Some(0) => Ok(()),
        Some(count) => Err(inside.refuse(DecodeErrorKind::Unread { count })),
    }
}

/// The guarded elements of a sequence or entries of a map.
struct Elements<'m, A> {
    inner: A,
    inside: Inside<'m>,
    read: usize,
}

impl<'m, A> Elements<'m, A> {
    #[inline]
    fn new(inner: A, inside: Inside<'m>) -> Self {
        Self {
            inner,
            inside,
            read: 0,
        }
    }
}

impl<'de, A: SeqAccess<'de>> SeqAccess<'de> for Elements<'_, A> {
    type Error = A::Error;

    #[inline]
    fn next_element_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<Option<S::Value>, A::Error> {
        let element = self.inner.next_element_seed(self.inside.seed(seed))?;
        self.read += usize::from(element.is_some());
        Ok(element)
    }

    #[inline]
    fn size_hint(&self) -> Option<usize> {
        self.inside.size_hint(self.inner.size_hint())
    }
}

impl<'de, A: MapAccess<'de>> MapAccess<'de> for Elements<'_, A> {
    type Error = A::Error;

    #[inline]
    fn next_key_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<Option<S::Value>, A::Error> {
        self.inner.next_key_seed(self.inside.seed(seed))
    }

    #[inline]
    fn next_value_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<S::Value, A::Error> {
        self.inner.next_value_seed(self.inside.seed(seed))
    }

    #[inline]
    fn size_hint(&self) -> Option<usize> {
        self.inside.size_hint(self.inner.size_hint())
    }
}
