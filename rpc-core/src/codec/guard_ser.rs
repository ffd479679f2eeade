//! The guard around a serializer: refuses what the codec's rules do, and what is too deep for any.

use std::fmt;

use serde::ser::{self, Serialize, Serializer};

use super::error::{EncodeErrorKind, Unsupported};
use super::guard_parts::Parts;
use super::guard_rules::{Allowed, Rules};
use super::meter::{Levels, MAX_DEPTH, Meter};

/// A value that is serialized through a guard.
pub(super) struct Guarded<'a, T: ?Sized, R> {
    value: &'a T,
    inside: Inside<'a, R>,
}

impl<'a, T: Serialize + ?Sized, R: Rules> Guarded<'a, T, R> {
    /// The value that is all of a body.
    #[inline]
    pub(super) fn whole(value: &'a T, rules: R, meter: &'a Meter<EncodeErrorKind>) -> Self {
        let levels = Levels::ALL;
        Self {
            value,
            inside: Inside { levels, rules, meter },
        }
    }
}

impl<T: Serialize + ?Sized, R: Rules> Serialize for Guarded<'_, T, R> {
    #[inline]
    fn serialize<S: Serializer>(&self, inner: S) -> Result<S::Ok, S::Error> {
        let inside = self.inside;
        self.value.serialize(Guard { inner, inside })
    }
}

/// How deep a value stands, under which rules, and what is counted.
#[derive(Clone, Copy)]
pub(super) struct Inside<'a, R> {
    levels: Levels,
    rules: R,
    pub(super) meter: &'a Meter<EncodeErrorKind>,
}

impl<'a, R: Rules> Inside<'a, R> {
    #[inline]
    pub(super) fn guard<T: ?Sized>(self, value: &'a T) -> Guarded<'a, T, R> {
        Guarded { value, inside: self }
    }

    /// The same place under other rules.
    #[inline]
    pub(super) fn under(self, rules: impl FnOnce(R) -> R) -> Self {
        let rules = rules(self.rules);
        Self { rules, ..self }
    }

    /// What the rules allow.
    #[inline]
    pub(super) fn ask<T, E: ser::Error>(self, rule: impl FnOnce(R) -> Allowed<T>) -> Result<T, E> {
        rule(self.rules).map_err(|kind| self.refuse(kind))
    }

    /// One level further in.
    #[inline]
    fn down<E: ser::Error>(self) -> Result<Self, E> {
        match self.levels.down() {
            Some(levels) => Ok(Self { levels, ..self }),
            None => Err(self.refuse(EncodeErrorKind::TooDeep { limit: MAX_DEPTH })),
        }
    }

    /// One level further in, at the parts of what stands here.
    #[inline]
    fn parts<E: ser::Error>(self) -> Result<Self, E> {
        let rules = self.ask(R::of_parts)?;
        Ok(self.down()?.under(|_| rules))
    }

    #[cold]
    fn refuse<E: ser::Error>(self, kind: EncodeErrorKind) -> E {
        self.meter.fault(kind);
        E::custom("")
    }
}

struct Guard<'a, S, R> {
    inner: S,
    inside: Inside<'a, R>,
}

macro_rules! pass_on {
    ($($method:ident: $type:ty,)*) => {
        $(#[inline]
        fn $method(self, value: $type) -> Result<S::Ok, S::Error> {
            self.inner.$method(value)
        })*
    };
}

impl<'a, S: Serializer, R: Rules> Serializer for Guard<'a, S, R> {
    type Ok = S::Ok;
    type Error = S::Error;
    type SerializeSeq = Parts<'a, S::SerializeSeq, R>;
    type SerializeTuple = Parts<'a, S::SerializeTuple, R>;
    type SerializeTupleStruct = Parts<'a, S::SerializeTupleStruct, R>;
    type SerializeTupleVariant = Parts<'a, S::SerializeTupleVariant, R>;
    type SerializeMap = Parts<'a, S::SerializeMap, R>;
    type SerializeStruct = Parts<'a, S::SerializeStruct, R>;
    type SerializeStructVariant = Parts<'a, S::SerializeStructVariant, R>;

    pass_on! {
        serialize_bool: bool,
        serialize_i8: i8,
        serialize_i16: i16,
        serialize_i32: i32,
        serialize_i64: i64,
        serialize_i128: i128,
        serialize_u8: u8,
        serialize_u16: u16,
        serialize_u32: u32,
        serialize_u64: u64,
        serialize_u128: u128,
        serialize_char: char,
        serialize_str: &str,
    }

    #[inline]
    fn collect_str<T: fmt::Display + ?Sized>(self, value: &T) -> Result<S::Ok, S::Error> {
        self.inner.collect_str(value)
    }

    #[inline]
    fn serialize_f32(self, value: f32) -> Result<S::Ok, S::Error> {
        self.inside.ask(|rules| rules.check_float(value.is_finite()))?;
        self.inner.serialize_f32(value)
    }

    #[inline]
    fn serialize_f64(self, value: f64) -> Result<S::Ok, S::Error> {
        self.inside.ask(|rules| rules.check_float(value.is_finite()))?;
        self.inner.serialize_f64(value)
    }

    #[inline]
    fn serialize_bytes(self, value: &[u8]) -> Result<S::Ok, S::Error> {
        self.inside.ask(R::check_bytes)?;
        self.inner.serialize_bytes(value)
    }

    #[inline]
    fn serialize_unit(self) -> Result<S::Ok, S::Error> {
        self.inside.ask(R::check_null)?;
        self.inner.serialize_unit()
    }

    #[inline]
    fn serialize_unit_struct(self, name: &'static str) -> Result<S::Ok, S::Error> {
        self.inside.ask(R::check_null)?;
        self.inner.serialize_unit_struct(name)
    }

    #[inline]
    fn serialize_none(self) -> Result<S::Ok, S::Error> {
        self.inside.ask(R::check_null)?;
        self.inner.serialize_none()
    }

    #[inline]
    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<S::Ok, S::Error> {
        let inside = self.inside.down()?;
        self.inner.serialize_some(&inside.under(R::in_some).guard(value))
    }

    #[inline]
    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        name: &'static str,
        value: &T,
    ) -> Result<S::Ok, S::Error> {
        let inside = self.inside.down()?;
        self.inner.serialize_newtype_struct(name, &inside.guard(value))
    }

    #[inline]
    fn serialize_unit_variant(
        self,
        name: &'static str,
        index: u32,
        variant: &'static str,
    ) -> Result<S::Ok, S::Error> {
        let tag = self.inside.ask(|rules| rules.tag(name, index, variant))?;
        self.inner.serialize_unit_variant(name, tag, variant)
    }

    #[inline]
    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        name: &'static str,
        index: u32,
        variant: &'static str,
        value: &T,
    ) -> Result<S::Ok, S::Error> {
        let inside = self.inside.parts()?;
        let tag = inside.ask(|rules| rules.tag(name, index, variant))?;
        let value = inside.guard(value);
        let done = self.inner.serialize_newtype_variant(name, tag, variant, &value)?;
        inside.meter.add_fields(1);
        Ok(done)
    }

    #[inline]
    fn serialize_seq(self, len: Option<usize>) -> Result<Self::SerializeSeq, S::Error> {
        let announced = self
            .inside
            .ask(|rules| rules.announced(len, Unsupported::UnknownLength))?;
        let inside = self.inside.parts()?;
        Ok(Parts::new(self.inner.serialize_seq(len)?, inside, announced))
    }

    #[inline]
    fn serialize_map(self, len: Option<usize>) -> Result<Self::SerializeMap, S::Error> {
        let announced = self
            .inside
            .ask(|rules| rules.announced(len, Unsupported::Flatten))?;
        let inside = self.inside.parts()?;
        Ok(Parts::new(self.inner.serialize_map(len)?, inside, announced))
    }

    #[inline]
    fn serialize_tuple(self, len: usize) -> Result<Self::SerializeTuple, S::Error> {
        let inside = self.inside.parts()?;
        Ok(Parts::new(self.inner.serialize_tuple(len)?, inside, len))
    }

    #[inline]
    fn serialize_tuple_struct(
        self,
        name: &'static str,
        len: usize,
    ) -> Result<Self::SerializeTupleStruct, S::Error> {
        let inside = self.inside.parts()?;
        Ok(Parts::new(
            self.inner.serialize_tuple_struct(name, len)?,
            inside,
            len,
        ))
    }

    #[inline]
    fn serialize_tuple_variant(
        self,
        name: &'static str,
        index: u32,
        variant: &'static str,
        len: usize,
    ) -> Result<Self::SerializeTupleVariant, S::Error> {
        let inside = self.inside.parts()?;
        let tag = inside.ask(|rules| rules.tag(name, index, variant))?;
        let inner = self.inner.serialize_tuple_variant(name, tag, variant, len)?;
        Ok(Parts::new(inner, inside, len))
    }

    #[inline]
    fn serialize_struct(self, name: &'static str, len: usize) -> Result<Self::SerializeStruct, S::Error> {
        let inside = self.inside.parts()?;
        Ok(Parts::new(self.inner.serialize_struct(name, len)?, inside, len))
    }

    #[inline]
    fn serialize_struct_variant(
        self,
        name: &'static str,
        index: u32,
        variant: &'static str,
        len: usize,
    ) -> Result<Self::SerializeStructVariant, S::Error> {
        let inside = self.inside.parts()?;
        let tag = inside.ask(|rules| rules.tag(name, index, variant))?;
        let inner = self.inner.serialize_struct_variant(name, tag, variant, len)?;
        Ok(Parts::new(inner, inside, len))
    }

    fn is_human_readable(&self) -> bool {
        self.inner.is_human_readable()
    }
}
