//! The guard around a JSON serializer: refuses what is too deep, and what JSON would write as something else.

use std::fmt;

use serde::ser::{self, Serialize, Serializer};

use super::error::EncodeErrorKind;
use super::meter::{Levels, MAX_DEPTH, Meter};

/// A value that is serialized through a guard.
pub(super) struct Guarded<'a, T: ?Sized> {
    value: &'a T,
    inside: Inside<'a>,
}

impl<'a, T: ?Sized> Guarded<'a, T> {
    /// The value that is all of a body.
    pub(super) fn whole(value: &'a T, meter: &'a Meter<EncodeErrorKind>) -> Self {
        let inside = Inside {
            levels: Levels::ALL,
            place: Place::Value,
            meter,
        };
        Self { value, inside }
    }
}

impl<T: Serialize + ?Sized> Serialize for Guarded<'_, T> {
    fn serialize<S: Serializer>(&self, inner: S) -> Result<S::Ok, S::Error> {
        let inside = self.inside;
        self.value.serialize(Guard { inner, inside })
    }
}

/// How deep a value stands, and as what.
#[derive(Clone, Copy)]
struct Inside<'m> {
    levels: Levels,
    place: Place,
    meter: &'m Meter<EncodeErrorKind>,
}

/// What a value is to the one around it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    Value,
    /// The content of a `Some`, which JSON does not show.
    InSome,
    /// A key of an object.
    Key,
}

impl<'m> Inside<'m> {
    fn guard<T: ?Sized>(self, value: &'m T) -> Guarded<'m, T> {
        Guarded { value, inside: self }
    }

    fn at(self, place: Place) -> Self {
        Self { place, ..self }
    }

    fn down<E: ser::Error>(self) -> Result<Self, E> {
        match self.levels.down() {
            Some(levels) => Ok(Self { levels, ..self }),
            None => Err(self.refuse(EncodeErrorKind::TooDeep { limit: MAX_DEPTH })),
        }
    }

    /// One level further in, for what is written between brackets.
    fn down_in_brackets<E: ser::Error>(self) -> Result<Self, E> {
        self.check_no_key()?;
        Ok(self.down()?.at(Place::Value))
    }

    fn check_no_key<E: ser::Error>(self) -> Result<(), E> {
        match self.place {
            Place::Key => Err(self.refuse(EncodeErrorKind::MapKey)),
            Place::Value | Place::InSome => Ok(()),
        }
    }

    fn check_null<E: ser::Error>(self) -> Result<(), E> {
        match self.place {
            Place::Value => Ok(()),
            Place::InSome => Err(self.refuse(EncodeErrorKind::NullInSome)),
            Place::Key => Err(self.refuse(EncodeErrorKind::MapKey)),
        }
    }

    fn check_finite<E: ser::Error>(self, is_finite: bool) -> Result<(), E> {
        if is_finite {
            return Ok(());
        }
        Err(self.refuse(EncodeErrorKind::NotFinite))
    }

    #[cold]
    fn refuse<E: ser::Error>(self, kind: EncodeErrorKind) -> E {
        self.meter.fault(kind);
        E::custom("")
    }
}

struct Guard<'m, S> {
    inner: S,
    inside: Inside<'m>,
}

macro_rules! pass_on {
    ($($method:ident: $type:ty,)*) => {
        $(fn $method(self, value: $type) -> Result<S::Ok, S::Error> {
            self.inner.$method(value)
        })*
    };
}

impl<'m, S: Serializer> Serializer for Guard<'m, S> {
    type Ok = S::Ok;
    type Error = S::Error;
    type SerializeSeq = Parts<'m, S::SerializeSeq>;
    type SerializeTuple = Parts<'m, S::SerializeTuple>;
    type SerializeTupleStruct = Parts<'m, S::SerializeTupleStruct>;
    type SerializeTupleVariant = Parts<'m, S::SerializeTupleVariant>;
    type SerializeMap = Parts<'m, S::SerializeMap>;
    type SerializeStruct = Parts<'m, S::SerializeStruct>;
    type SerializeStructVariant = Parts<'m, S::SerializeStructVariant>;

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

    fn collect_str<T: fmt::Display + ?Sized>(self, value: &T) -> Result<S::Ok, S::Error> {
        self.inner.collect_str(value)
    }

    fn serialize_f32(self, value: f32) -> Result<S::Ok, S::Error> {
        self.inside.check_finite(value.is_finite())?;
        self.inner.serialize_f32(value)
    }

    fn serialize_f64(self, value: f64) -> Result<S::Ok, S::Error> {
        self.inside.check_finite(value.is_finite())?;
        self.inner.serialize_f64(value)
    }

    fn serialize_bytes(self, value: &[u8]) -> Result<S::Ok, S::Error> {
        self.inside.check_no_key()?;
        self.inner.serialize_bytes(value)
    }

    fn serialize_unit(self) -> Result<S::Ok, S::Error> {
        self.inside.check_null()?;
        self.inner.serialize_unit()
    }

    fn serialize_unit_struct(self, name: &'static str) -> Result<S::Ok, S::Error> {
        self.inside.check_null()?;
        self.inner.serialize_unit_struct(name)
    }

    fn serialize_none(self) -> Result<S::Ok, S::Error> {
        self.inside.check_null()?;
        self.inner.serialize_none()
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<S::Ok, S::Error> {
        let inside = self.inside.down()?;
        let content = match inside.place {
            Place::Key => inside,
            Place::Value | Place::InSome => inside.at(Place::InSome),
        };
        self.inner.serialize_some(&content.guard(value))
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        name: &'static str,
        value: &T,
    ) -> Result<S::Ok, S::Error> {
        // JSON shows it as little as a Some, so that its value is what it is itself.
        let inside = self.inside.down()?;
        self.inner.serialize_newtype_struct(name, &inside.guard(value))
    }

    fn serialize_unit_variant(
        self,
        name: &'static str,
        index: u32,
        variant: &'static str,
    ) -> Result<S::Ok, S::Error> {
        self.inner.serialize_unit_variant(name, index, variant)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        name: &'static str,
        index: u32,
        variant: &'static str,
        value: &T,
    ) -> Result<S::Ok, S::Error> {
        let inside = self.inside.down_in_brackets()?;
        self.inner
            .serialize_newtype_variant(name, index, variant, &inside.guard(value))
    }

    fn serialize_seq(self, len: Option<usize>) -> Result<Self::SerializeSeq, S::Error> {
        let inside = self.inside.down_in_brackets()?;
        let inner = self.inner.serialize_seq(len)?;
        Ok(Parts { inner, inside })
    }

    fn serialize_tuple(self, len: usize) -> Result<Self::SerializeTuple, S::Error> {
        let inside = self.inside.down_in_brackets()?;
        let inner = self.inner.serialize_tuple(len)?;
        Ok(Parts { inner, inside })
    }

    fn serialize_tuple_struct(
        self,
        name: &'static str,
        len: usize,
    ) -> Result<Self::SerializeTupleStruct, S::Error> {
        let inside = self.inside.down_in_brackets()?;
        let inner = self.inner.serialize_tuple_struct(name, len)?;
        Ok(Parts { inner, inside })
    }

    fn serialize_tuple_variant(
        self,
        name: &'static str,
        index: u32,
        variant: &'static str,
        len: usize,
    ) -> Result<Self::SerializeTupleVariant, S::Error> {
        let inside = self.inside.down_in_brackets()?;
        let inner = self.inner.serialize_tuple_variant(name, index, variant, len)?;
        Ok(Parts { inner, inside })
    }

    fn serialize_map(self, len: Option<usize>) -> Result<Self::SerializeMap, S::Error> {
        let inside = self.inside.down_in_brackets()?;
        let inner = self.inner.serialize_map(len)?;
        Ok(Parts { inner, inside })
    }

    fn serialize_struct(self, name: &'static str, len: usize) -> Result<Self::SerializeStruct, S::Error> {
        let inside = self.inside.down_in_brackets()?;
        let inner = self.inner.serialize_struct(name, len)?;
        Ok(Parts { inner, inside })
    }

    fn serialize_struct_variant(
        self,
        name: &'static str,
        index: u32,
        variant: &'static str,
        len: usize,
    ) -> Result<Self::SerializeStructVariant, S::Error> {
        let inside = self.inside.down_in_brackets()?;
        let inner = self.inner.serialize_struct_variant(name, index, variant, len)?;
        Ok(Parts { inner, inside })
    }

    fn is_human_readable(&self) -> bool {
        self.inner.is_human_readable()
    }
}

/// The elements or fields of a value, as they come.
struct Parts<'m, C> {
    inner: C,
    inside: Inside<'m>,
}

macro_rules! unnamed_parts {
    ($($trait:ident: $method:ident;)*) => {
        $(impl<C: ser::$trait> ser::$trait for Parts<'_, C> {
            type Ok = C::Ok;
            type Error = C::Error;

            fn $method<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), C::Error> {
                self.inner.$method(&self.inside.guard(value))
            }

            fn end(self) -> Result<C::Ok, C::Error> {
                self.inner.end()
            }
        })*
    };
}

unnamed_parts! {
    SerializeSeq: serialize_element;
    SerializeTuple: serialize_element;
    SerializeTupleStruct: serialize_field;
    SerializeTupleVariant: serialize_field;
}

macro_rules! named_parts {
    ($($trait:ident),*) => {
        $(impl<C: ser::$trait> ser::$trait for Parts<'_, C> {
            type Ok = C::Ok;
            type Error = C::Error;

            fn serialize_field<T: Serialize + ?Sized>(
                &mut self,
                key: &'static str,
                value: &T,
            ) -> Result<(), C::Error> {
                self.inner.serialize_field(key, &self.inside.guard(value))
            }

            fn skip_field(&mut self, key: &'static str) -> Result<(), C::Error> {
                self.inner.skip_field(key)
            }

            fn end(self) -> Result<C::Ok, C::Error> {
                self.inner.end()
            }
        })*
    };
}

named_parts!(SerializeStruct, SerializeStructVariant);

impl<C: ser::SerializeMap> ser::SerializeMap for Parts<'_, C> {
    type Ok = C::Ok;
    type Error = C::Error;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), C::Error> {
        self.inner.serialize_key(&self.inside.at(Place::Key).guard(key))
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), C::Error> {
        self.inner.serialize_value(&self.inside.guard(value))
    }

    fn end(self) -> Result<C::Ok, C::Error> {
        self.inner.end()
    }
}
