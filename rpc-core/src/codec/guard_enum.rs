//! The guard around an enum: finds the variant by its name, and holds its depth against the limit.

use std::fmt;

use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, EnumAccess, IntoDeserializer, VariantAccess, Visitor};

use super::error::DecodeErrorKind;
use super::guard_access::{Form, GuardVisitor};
use super::guard_de::Inside;
use super::variant;

/// A visitor of an enum that sees only the guarded variant.
pub(super) struct EnumVisitor<'m, V> {
    visitor: V,
    variants: Variants,
    inside: Inside<'m>,
}

impl<'m, V> EnumVisitor<'m, V> {
    #[inline]
    pub(super) fn new(
        visitor: V,
        name: &'static str,
        variants: &'static [&'static str],
        inside: Inside<'m>,
    ) -> Self {
        Self {
            visitor,
            variants: Variants { name, variants },
            inside,
        }
    }
}

impl<'de, V: Visitor<'de>> Visitor<'de> for EnumVisitor<'_, V> {
    type Value = V::Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.visitor.expecting(f)
    }

    #[inline]
    fn visit_enum<A: EnumAccess<'de>>(self, inner: A) -> Result<V::Value, A::Error> {
        self.visitor.visit_enum(GuardEnum {
            inner,
            variants: self.variants,
            inside: self.inside,
        })
    }
}

/// The names of an enum and of its variants, aliases too.
#[derive(Clone, Copy)]
struct Variants {
    name: &'static str,
    variants: &'static [&'static str],
}

struct GuardEnum<'m, A> {
    inner: A,
    variants: Variants,
    inside: Inside<'m>,
}

impl<'de, 'm, A: EnumAccess<'de>> EnumAccess<'de> for GuardEnum<'m, A> {
    type Error = A::Error;
    type Variant = GuardVariant<'m, A::Variant>;

    #[inline]
    fn variant_seed<S: DeserializeSeed<'de>>(self, seed: S) -> Result<(S::Value, Self::Variant), A::Error> {
        let (variants, inside) = (self.variants, self.inside);
        let seed = VariantSeed {
            seed,
            variants,
            inside,
        };
        let (value, inner) = self.inner.variant_seed(seed)?;
        Ok((value, GuardVariant { inner, inside }))
    }
}

/// Reads which variant it is.
struct VariantSeed<'m, S> {
    seed: S,
    variants: Variants,
    inside: Inside<'m>,
}

impl<'de, S: DeserializeSeed<'de>> DeserializeSeed<'de> for VariantSeed<'_, S> {
    type Value = S::Value;

    #[inline]
    fn deserialize<D: Deserializer<'de>>(self, inner: D) -> Result<S::Value, D::Error> {
        let Variants { name, variants } = self.variants;
        let tag = u32::deserialize(inner)?;
        if let Some(variant) = variant::name_of(tag, variants) {
            return self.seed.deserialize(variant.into_deserializer());
        }
        let index = variant::index_of(tag);
        let unknown = || {
            self.inside
                .refuse(DecodeErrorKind::InvalidVariant { name, index })
        };
        // An index that no enum has: only `#[serde(other)]` takes it.
        let value = self.seed.deserialize(u64::MAX.into_deserializer());
        value.map_err(|_: D::Error| unknown())
    }
}

/// What the variant is made of.
struct GuardVariant<'m, A> {
    inner: A,
    inside: Inside<'m>,
}

impl<'de, A: VariantAccess<'de>> VariantAccess<'de> for GuardVariant<'_, A> {
    type Error = A::Error;

    #[inline]
    fn unit_variant(self) -> Result<(), A::Error> {
        self.inner.unit_variant()
    }

    #[inline]
    fn newtype_variant_seed<S: DeserializeSeed<'de>>(self, seed: S) -> Result<S::Value, A::Error> {
        let inside = self.inside.down()?;
        let value = self.inner.newtype_variant_seed(inside.seed(seed))?;
        inside.add_fields(1);
        Ok(value)
    }

    #[inline]
    fn tuple_variant<V: Visitor<'de>>(self, len: usize, visitor: V) -> Result<V::Value, A::Error> {
        let visitor = GuardVisitor::new(visitor, self.inside.down()?, Form::Fields);
        self.inner.tuple_variant(len, visitor)
    }

    #[inline]
    fn struct_variant<V: Visitor<'de>>(
        self,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, A::Error> {
        let visitor = GuardVisitor::new(visitor, self.inside.down()?, Form::Fields);
        self.inner.struct_variant(fields, visitor)
    }
}
