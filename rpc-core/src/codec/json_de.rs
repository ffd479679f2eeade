//! The guard around a JSON deserializer: counts how deep values stand, and sees the keys of objects.

use serde::de::{self, DeserializeSeed, Deserializer, Visitor};

use super::error::DecodeErrorKind;
use super::json_access::GuardVisitor;
use super::json_keys::Keys;
use super::meter::{Levels, MAX_DEPTH, Meter};

/// A deserializer whose values are counted.
pub(super) struct Guard<'m, D> {
    inner: D,
    inside: Inside<'m>,
}

impl<'m, D> Guard<'m, D> {
    /// The value that is all of a body.
    pub(super) fn whole(inner: D, meter: &'m Meter<DecodeErrorKind>) -> Self {
        let inside = Inside {
            levels: Levels::ALL,
            keys: None,
            meter,
        };
        Self { inner, inside }
    }
}

/// How deep a value stands, and whether it is a key.
#[derive(Clone, Copy)]
pub(super) struct Inside<'m> {
    levels: Levels,
    /// The keys before this one, if this is a key that its type does not look after itself.
    keys: Option<&'m Keys>,
    meter: &'m Meter<DecodeErrorKind>,
}

impl<'m> Inside<'m> {
    pub(super) fn guard<D>(self, inner: D) -> Guard<'m, D> {
        Guard { inner, inside: self }
    }

    pub(super) fn seed<S>(self, seed: S) -> GuardSeed<'m, S> {
        GuardSeed { seed, inside: self }
    }

    pub(super) fn with_keys(self, keys: Option<&'m Keys>) -> Self {
        Self { keys, ..self }
    }

    pub(super) fn down<E: de::Error>(self) -> Result<Self, E> {
        match self.levels.down() {
            Some(levels) => Ok(Self { levels, ..self }),
            None => Err(self.refuse(DecodeErrorKind::TooDeep { limit: MAX_DEPTH })),
        }
    }

    /// If this is a key, it must be a new one.
    pub(super) fn check_key<E: de::Error>(self, key: impl ToString) -> Result<(), E> {
        let Some(keys) = self.keys else {
            return Ok(());
        };
        keys.add(key.to_string()).map_err(|kind| self.refuse(kind))
    }

    #[cold]
    fn refuse<E: de::Error>(self, kind: DecodeErrorKind) -> E {
        self.meter.fault(kind);
        E::custom("")
    }
}

/// A seed whose value is deserialized through a guard.
pub(super) struct GuardSeed<'m, S> {
    seed: S,
    inside: Inside<'m>,
}

impl<'de, S: DeserializeSeed<'de>> DeserializeSeed<'de> for GuardSeed<'_, S> {
    type Value = S::Value;

    fn deserialize<D: Deserializer<'de>>(self, inner: D) -> Result<S::Value, D::Error> {
        self.seed.deserialize(self.inside.guard(inner))
    }
}

macro_rules! pass_on {
    ($($method:ident($($argument:ident: $type:ty),*);)*) => {
        $(fn $method<V: Visitor<'de>>(self, $($argument: $type,)* visitor: V) -> Result<V::Value, D::Error> {
            let visitor = GuardVisitor::new(visitor, self.inside);
            self.inner.$method($($argument,)* visitor)
        })*
    };
}

impl<'de, D: Deserializer<'de>> Deserializer<'de> for Guard<'_, D> {
    type Error = D::Error;

    pass_on! {
        deserialize_any();
        deserialize_bool();
        deserialize_i8();
        deserialize_i16();
        deserialize_i32();
        deserialize_i64();
        deserialize_i128();
        deserialize_u8();
        deserialize_u16();
        deserialize_u32();
        deserialize_u64();
        deserialize_u128();
        deserialize_f32();
        deserialize_f64();
        deserialize_char();
        deserialize_str();
        deserialize_string();
        deserialize_bytes();
        deserialize_byte_buf();
        deserialize_option();
        deserialize_unit();
        deserialize_unit_struct(name: &'static str);
        deserialize_newtype_struct(name: &'static str);
        deserialize_seq();
        deserialize_tuple(len: usize);
        deserialize_tuple_struct(name: &'static str, len: usize);
        deserialize_map();
        deserialize_enum(name: &'static str, variants: &'static [&'static str]);
        deserialize_identifier();
        deserialize_ignored_any();
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, D::Error> {
        let visitor = GuardVisitor::of_struct(visitor, self.inside);
        self.inner.deserialize_struct(name, fields, visitor)
    }

    fn is_human_readable(&self) -> bool {
        self.inner.is_human_readable()
    }
}
