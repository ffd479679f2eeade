//! The guard around a deserializer: holds depth and lengths against their limits before anything is built.

use serde::de::{self, DeserializeSeed, Deserializer, Visitor};

use super::error::{DecodeErrorKind, Unsupported};
use super::guard_access::{Form, GuardVisitor};
use super::guard_enum::EnumVisitor;
use super::meter::{Levels, MAX_DEPTH, Meter, max_elements};

/// A seed whose value is deserialized through a guard.
pub(super) struct GuardSeed<'m, S> {
    seed: S,
    inside: Inside<'m>,
}

impl<'m, S> GuardSeed<'m, S> {
    /// The value that is all of a body of `body_len` bytes.
    #[inline]
    pub(super) fn whole(seed: S, meter: &'m Meter<DecodeErrorKind>, body_len: usize) -> Self {
        let levels = Levels::ALL;
        Self {
            seed,
            inside: Inside {
                levels,
                meter,
                body_len,
            },
        }
    }
}

impl<'de, S: DeserializeSeed<'de>> DeserializeSeed<'de> for GuardSeed<'_, S> {
    type Value = S::Value;

    #[inline]
    fn deserialize<D: Deserializer<'de>>(self, inner: D) -> Result<S::Value, D::Error> {
        self.seed.deserialize(self.inside.guard(inner))
    }
}

/// How deep a value stands, and what is counted.
#[derive(Clone, Copy)]
pub(super) struct Inside<'m> {
    levels: Levels,
    meter: &'m Meter<DecodeErrorKind>,
    body_len: usize,
}

impl<'m> Inside<'m> {
    #[inline]
    pub(super) fn guard<D>(self, inner: D) -> Guard<'m, D> {
        Guard { inner, inside: self }
    }

    #[inline]
    pub(super) fn seed<S>(self, seed: S) -> GuardSeed<'m, S> {
        GuardSeed { seed, inside: self }
    }

    #[inline]
    pub(super) fn down<E: de::Error>(self) -> Result<Self, E> {
        match self.levels.down() {
            Some(levels) => Ok(Self { levels, ..self }),
            None => Err(self.refuse(DecodeErrorKind::TooDeep { limit: MAX_DEPTH })),
        }
    }

    /// Takes the announced length of a sequence or map, before there is any room made for it.
    #[inline]
    pub(super) fn announce<E: de::Error>(self, count: usize) -> Result<(), E> {
        let limit = max_elements(self.body_len);
        let elements = self.meter.add_elements(count);
        if elements <= limit {
            return Ok(());
        }
        Err(self.refuse(DecodeErrorKind::TooManyValues { elements, limit }))
    }

    #[inline]
    pub(super) fn add_fields(self, count: usize) {
        self.meter.add_fields(count);
    }

    /// How many elements to make room for: never more than the body has bytes.
    #[inline]
    pub(super) fn size_hint(self, hint: Option<usize>) -> Option<usize> {
        hint.map(|count| count.min(self.body_len))
    }

    #[cold]
    pub(super) fn refuse<E: de::Error>(self, kind: impl Into<DecodeErrorKind>) -> E {
        self.meter.fault(kind.into());
        E::custom("")
    }
}

pub(super) struct Guard<'m, D> {
    inner: D,
    inside: Inside<'m>,
}

impl<'m, D> Guard<'m, D> {
    /// Its parts, one level further in: the deserializer, and the guarded visitor for it.
    #[inline]
    fn enter<V, E: de::Error>(self, visitor: V, form: Form) -> Result<(D, GuardVisitor<'m, V>), E> {
        let visitor = GuardVisitor::new(visitor, self.inside.down()?, form);
        Ok((self.inner, visitor))
    }
}

macro_rules! pass_on {
    ($($method:ident => $inner:ident,)*) => {
        $(#[inline]
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, D::Error> {
            self.inner.$inner(visitor)
        })*
    };
}

macro_rules! refuse {
    ($($method:ident: $why:ident,)*) => {
        $(fn $method<V: Visitor<'de>>(self, _: V) -> Result<V::Value, D::Error> {
            Err(self.inside.refuse(Unsupported::$why))
        })*
    };
}

impl<'de, D: Deserializer<'de>> Deserializer<'de> for Guard<'_, D> {
    type Error = D::Error;

    // Strings and bytes are always borrowed: only then is a length held against the body before room is made for it.
    pass_on! {
        deserialize_bool => deserialize_bool,
        deserialize_i8 => deserialize_i8,
        deserialize_i16 => deserialize_i16,
        deserialize_i32 => deserialize_i32,
        deserialize_i64 => deserialize_i64,
        deserialize_i128 => deserialize_i128,
        deserialize_u8 => deserialize_u8,
        deserialize_u16 => deserialize_u16,
        deserialize_u32 => deserialize_u32,
        deserialize_u64 => deserialize_u64,
        deserialize_u128 => deserialize_u128,
        deserialize_f32 => deserialize_f32,
        deserialize_f64 => deserialize_f64,
        deserialize_char => deserialize_char,
        deserialize_str => deserialize_str,
        deserialize_string => deserialize_str,
        deserialize_bytes => deserialize_bytes,
        deserialize_byte_buf => deserialize_bytes,
        deserialize_unit => deserialize_unit,
    }

    refuse! {
        deserialize_any: Any,
        deserialize_identifier: Identifier,
        deserialize_ignored_any: IgnoredAny,
    }

    #[inline]
    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, D::Error> {
        // Only a Some is one level further in, which its visitor finds out.
        let visitor = GuardVisitor::new(visitor, self.inside, Form::Single);
        self.inner.deserialize_option(visitor)
    }

    #[inline]
    fn deserialize_unit_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        visitor: V,
    ) -> Result<V::Value, D::Error> {
        self.inner.deserialize_unit_struct(name, visitor)
    }

    #[inline]
    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        visitor: V,
    ) -> Result<V::Value, D::Error> {
        let visitor = GuardVisitor::new(visitor, self.inside, Form::Single);
        self.inner.deserialize_newtype_struct(name, visitor)
    }

    #[inline]
    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, D::Error> {
        let (inner, visitor) = self.enter(visitor, Form::Sequence)?;
        inner.deserialize_seq(visitor)
    }

    #[inline]
    fn deserialize_tuple<V: Visitor<'de>>(self, len: usize, visitor: V) -> Result<V::Value, D::Error> {
        let (inner, visitor) = self.enter(visitor, Form::Tuple)?;
        inner.deserialize_tuple(len, visitor)
    }

    #[inline]
    fn deserialize_tuple_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        len: usize,
        visitor: V,
    ) -> Result<V::Value, D::Error> {
        let (inner, visitor) = self.enter(visitor, Form::Fields)?;
        inner.deserialize_tuple_struct(name, len, visitor)
    }

    #[inline]
    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, D::Error> {
        let (inner, visitor) = self.enter(visitor, Form::Sequence)?;
        inner.deserialize_map(visitor)
    }

    #[inline]
    fn deserialize_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, D::Error> {
        let (inner, visitor) = self.enter(visitor, Form::Fields)?;
        inner.deserialize_struct(name, fields, visitor)
    }

    #[inline]
    fn deserialize_enum<V: Visitor<'de>>(
        self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, D::Error> {
        let visitor = EnumVisitor::new(visitor, name, variants, self.inside);
        self.inner.deserialize_enum(name, variants, visitor)
    }

    fn is_human_readable(&self) -> bool {
        false
    }
}
