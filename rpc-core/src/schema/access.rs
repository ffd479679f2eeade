//! The parts of sequences, maps, structs and enums, which a [`Tracer`] hands out.

use std::mem::{Discriminant, discriminant};

use serde::de::value::BorrowedStrDeserializer;
use serde::de::{DeserializeSeed, EnumAccess, MapAccess, SeqAccess, VariantAccess, Visitor};

use super::graph::{Body, Content, Slot};
use super::tracer::{Rejected, Tracer};

/// Elements, entries or fields, as many as there are to be.
pub(super) struct Parts<'t> {
    tracer: Tracer<'t>,
    /// Where parts stand that follow one another in a body; none for elements.
    body: Option<Option<usize>>,
    given: usize,
    len: usize,
}

impl<'t> Parts<'t> {
    /// The parts of the struct or of that variant.
    pub(super) fn new(tracer: Tracer<'t>, variant: Option<usize>, len: usize) -> Self {
        let body = Some(variant);
        Self {
            tracer,
            body,
            given: 0,
            len,
        }
    }

    /// The elements of a sequence or the entries of a map.
    pub(super) fn elements(tracer: Tracer<'t>, len: usize) -> Self {
        Self {
            tracer,
            body: None,
            given: 0,
            len,
        }
    }
}

impl SeqAccess<'static> for Parts<'_> {
    type Error = Rejected;

    fn next_element_seed<S: DeserializeSeed<'static>>(
        &mut self,
        seed: S,
    ) -> Result<Option<S::Value>, Rejected> {
        if self.given == self.len {
            return Ok(None);
        }
        let slot = self
            .body
            .map_or(Slot::Only, |variant| Slot::Part(variant, self.given));
        self.given += 1;
        self.tracer.trace.value(self.tracer.node, slot, seed).map(Some)
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.len - self.given)
    }
}

impl MapAccess<'static> for Parts<'_> {
    type Error = Rejected;

    fn next_key_seed<S: DeserializeSeed<'static>>(&mut self, seed: S) -> Result<Option<S::Value>, Rejected> {
        if self.given == self.len {
            return Ok(None);
        }
        self.given += 1;
        self.tracer
            .trace
            .value(self.tracer.node, Slot::Key, seed)
            .map(Some)
    }

    fn next_value_seed<S: DeserializeSeed<'static>>(&mut self, seed: S) -> Result<S::Value, Rejected> {
        self.tracer.trace.value(self.tracer.node, Slot::Value, seed)
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.len - self.given)
    }
}

/// One field, by its name, twice: a field that comes a second time is refused by its own name and not by an alias.
pub(super) struct Field<'t> {
    tracer: Tracer<'t>,
    slot: Slot,
    name: &'static str,
    left: usize,
}

impl<'t> Field<'t> {
    pub(super) fn new(tracer: Tracer<'t>, variant: Option<usize>, index: usize, name: &'static str) -> Self {
        let slot = Slot::Named(variant, index);
        Self {
            tracer,
            slot,
            name,
            left: 2,
        }
    }
}

impl MapAccess<'static> for Field<'_> {
    type Error = Rejected;

    fn next_key_seed<S: DeserializeSeed<'static>>(&mut self, seed: S) -> Result<Option<S::Value>, Rejected> {
        if self.left == 0 {
            return Ok(None);
        }
        self.left -= 1;
        seed.deserialize(BorrowedStrDeserializer::new(self.name))
            .map(Some)
    }

    fn next_value_seed<S: DeserializeSeed<'static>>(&mut self, seed: S) -> Result<S::Value, Rejected> {
        self.tracer.trace.value(self.tracer.node, self.slot, seed)
    }
}

/// No elements and no entries.
pub(super) struct Nothing;

impl SeqAccess<'static> for Nothing {
    type Error = Rejected;

    fn next_element_seed<S: DeserializeSeed<'static>>(&mut self, _: S) -> Result<Option<S::Value>, Rejected> {
        Ok(None)
    }
}

impl MapAccess<'static> for Nothing {
    type Error = Rejected;

    fn next_key_seed<S: DeserializeSeed<'static>>(&mut self, _: S) -> Result<Option<S::Value>, Rejected> {
        Ok(None)
    }

    fn next_value_seed<S: DeserializeSeed<'static>>(&mut self, _: S) -> Result<S::Value, Rejected> {
        Err(Rejected::default())
    }
}

/// A variant, by its name.
pub(super) struct EnumTracer<'t> {
    tracer: Tracer<'t>,
    variant: usize,
    name: &'static str,
}

impl<'t> EnumTracer<'t> {
    pub(super) fn new(tracer: Tracer<'t>, variant: usize, name: &'static str) -> Self {
        Self {
            tracer,
            variant,
            name,
        }
    }
}

impl<'t> EnumAccess<'static> for EnumTracer<'t> {
    type Error = Rejected;
    type Variant = VariantTracer<'t>;

    fn variant_seed<S: DeserializeSeed<'static>>(
        self,
        seed: S,
    ) -> Result<(S::Value, VariantTracer<'t>), Rejected> {
        let Self {
            tracer,
            variant,
            name,
        } = self;
        let value = seed.deserialize(BorrowedStrDeserializer::<Rejected>::new(name))?;
        // derive reads names into an enum with one variant for each of the user's: aliases are those that are read alike.
        let read_as: Discriminant<S::Value> = discriminant(&value);
        let mut state = tracer.trace.state();
        state.variant_is_read_as(tracer.node, variant, format!("{read_as:?}"));
        Ok((value, VariantTracer { tracer, variant }))
    }
}

/// What is in a variant.
pub(super) struct VariantTracer<'t> {
    tracer: Tracer<'t>,
    variant: usize,
}

impl VariantTracer<'_> {
    fn is(&self, content: Content) -> Result<(), Rejected> {
        let mut state = self.tracer.trace.state();
        Ok(state.variant_is(self.tracer.node, self.variant, content)?)
    }
}

impl VariantAccess<'static> for VariantTracer<'_> {
    type Error = Rejected;

    fn unit_variant(self) -> Result<(), Rejected> {
        self.is(Content::Unit)
    }

    fn newtype_variant_seed<S: DeserializeSeed<'static>>(self, seed: S) -> Result<S::Value, Rejected> {
        self.is(Content::Newtype(None))?;
        let slot = Slot::Variant(self.variant);
        self.tracer.trace.value(self.tracer.node, slot, seed)
    }

    fn tuple_variant<V: Visitor<'static>>(self, len: usize, visitor: V) -> Result<V::Value, Rejected> {
        self.is(Content::Tuple(Body::new(len, &[])))?;
        self.tracer.body(Some(self.variant), len, &[], visitor)
    }

    fn struct_variant<V: Visitor<'static>>(
        self,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Rejected> {
        self.is(Content::Fields(Body::new(fields.len(), fields)))?;
        self.tracer
            .body(Some(self.variant), fields.len(), fields, visitor)
    }
}
