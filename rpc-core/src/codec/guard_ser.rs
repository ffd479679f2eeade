//! The guard around a serializer: refuses what the receiver could not read back.

use serde::ser::{self, Serialize, Serializer};

use super::error::{EncodeErrorKind, Unsupported};
use super::meter::{Levels, MAX_DEPTH, Meter};
use super::variant;

type Faults = Meter<EncodeErrorKind>;

/// A value that is serialized through a guard.
pub(super) struct Guarded<'a, T: ?Sized> {
    value: &'a T,
    inside: Inside<'a>,
}

impl<'a, T: Serialize + ?Sized> Guarded<'a, T> {
    /// The value that is all of a body.
    #[inline]
    pub(super) fn whole(value: &'a T, meter: &'a Faults) -> Self {
        let levels = Levels::ALL;
        Self {
            value,
            inside: Inside { levels, meter },
        }
    }
}

impl<T: Serialize + ?Sized> Serialize for Guarded<'_, T> {
    #[inline]
    fn serialize<S: Serializer>(&self, inner: S) -> Result<S::Ok, S::Error> {
        let inside = self.inside;
        self.value.serialize(Guard { inner, inside })
    }
}

/// How deep a value stands, and what is counted.
#[derive(Clone, Copy)]
struct Inside<'a> {
    levels: Levels,
    meter: &'a Faults,
}

impl<'a> Inside<'a> {
    #[inline]
    fn guard<T: ?Sized>(self, value: &'a T) -> Guarded<'a, T> {
        Guarded { value, inside: self }
    }

    #[inline]
    fn down<E: ser::Error>(self) -> Result<Self, E> {
        match self.levels.down() {
            Some(levels) => Ok(Self { levels, ..self }),
            None => Err(self.refuse(EncodeErrorKind::TooDeep { limit: MAX_DEPTH })),
        }
    }

    #[inline]
    fn tag<E: ser::Error>(self, name: &'static str, index: u32, variant: &str) -> Result<u32, E> {
        variant::tag(index, variant)
            .ok_or_else(|| self.refuse(EncodeErrorKind::TooManyVariants { name, index }))
    }

    #[cold]
    fn refuse<E: ser::Error>(self, kind: impl Into<EncodeErrorKind>) -> E {
        self.meter.fault(kind.into());
        E::custom("")
    }
}

struct Guard<'a, S> {
    inner: S,
    inside: Inside<'a>,
}

macro_rules! pass_on {
    ($($method:ident: $type:ty,)*) => {
        $(#[inline]
        fn $method(self, value: $type) -> Result<S::Ok, S::Error> {
            self.inner.$method(value)
        })*
    };
}

impl<'a, S: Serializer> Serializer for Guard<'a, S> {
    type Ok = S::Ok;
    type Error = S::Error;
    type SerializeSeq = Parts<'a, S::SerializeSeq>;
    type SerializeTuple = Parts<'a, S::SerializeTuple>;
    type SerializeTupleStruct = Parts<'a, S::SerializeTupleStruct>;
    type SerializeTupleVariant = Parts<'a, S::SerializeTupleVariant>;
    type SerializeMap = Parts<'a, S::SerializeMap>;
    type SerializeStruct = Parts<'a, S::SerializeStruct>;
    type SerializeStructVariant = Parts<'a, S::SerializeStructVariant>;

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
        serialize_f32: f32,
        serialize_f64: f64,
        serialize_char: char,
        serialize_str: &str,
        serialize_bytes: &[u8],
        serialize_unit_struct: &'static str,
    }

    #[inline]
    fn serialize_unit(self) -> Result<S::Ok, S::Error> {
        self.inner.serialize_unit()
    }

    #[inline]
    fn serialize_none(self) -> Result<S::Ok, S::Error> {
        self.inner.serialize_none()
    }

    #[inline]
    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<S::Ok, S::Error> {
        let inside = self.inside.down()?;
        self.inner.serialize_some(&inside.guard(value))
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
        let tag = self.inside.tag(name, index, variant)?;
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
        let inside = self.inside.down()?;
        let tag = inside.tag(name, index, variant)?;
        let value = inside.guard(value);
        let done = self.inner.serialize_newtype_variant(name, tag, variant, &value)?;
        inside.meter.add_fields(1);
        Ok(done)
    }

    #[inline]
    fn serialize_seq(self, len: Option<usize>) -> Result<Self::SerializeSeq, S::Error> {
        let announced = len.ok_or_else(|| self.inside.refuse(Unsupported::UnknownLength))?;
        let inside = self.inside.down()?;
        Ok(Parts::new(self.inner.serialize_seq(len)?, inside, announced))
    }

    #[inline]
    fn serialize_map(self, len: Option<usize>) -> Result<Self::SerializeMap, S::Error> {
        let announced = len.ok_or_else(|| self.inside.refuse(Unsupported::Flatten))?;
        let inside = self.inside.down()?;
        Ok(Parts::new(self.inner.serialize_map(len)?, inside, announced))
    }

    #[inline]
    fn serialize_tuple(self, len: usize) -> Result<Self::SerializeTuple, S::Error> {
        let inside = self.inside.down()?;
        Ok(Parts::new(self.inner.serialize_tuple(len)?, inside, len))
    }

    #[inline]
    fn serialize_tuple_struct(
        self,
        name: &'static str,
        len: usize,
    ) -> Result<Self::SerializeTupleStruct, S::Error> {
        let inside = self.inside.down()?;
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
        let inside = self.inside.down()?;
        let tag = inside.tag(name, index, variant)?;
        let inner = self.inner.serialize_tuple_variant(name, tag, variant, len)?;
        Ok(Parts::new(inner, inside, len))
    }

    #[inline]
    fn serialize_struct(self, name: &'static str, len: usize) -> Result<Self::SerializeStruct, S::Error> {
        let inside = self.inside.down()?;
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
        let inside = self.inside.down()?;
        let tag = inside.tag(name, index, variant)?;
        let inner = self.inner.serialize_struct_variant(name, tag, variant, len)?;
        Ok(Parts::new(inner, inside, len))
    }

    fn is_human_readable(&self) -> bool {
        false
    }
}

/// The elements or fields of a value, as they come.
struct Parts<'a, C> {
    inner: C,
    inside: Inside<'a>,
    announced: usize,
    found: usize,
}

impl<'a, C> Parts<'a, C> {
    #[inline]
    fn new(inner: C, inside: Inside<'a>, announced: usize) -> Self {
        Self {
            inner,
            inside,
            announced,
            found: 0,
        }
    }

    /// Counts one part; the guard it goes through.
    #[inline]
    fn next(&mut self) -> Inside<'a> {
        self.found += 1;
        self.inside
    }

    #[inline]
    fn check_length<E: ser::Error>(&self) -> Result<(), E> {
        let (announced, found) = (self.announced, self.found);
        if announced == found {
            return Ok(());
        }
        Err(self
            .inside
            .refuse(EncodeErrorKind::LengthMismatch { announced, found }))
    }

    #[inline]
    fn end_elements<E: ser::Error>(&self) -> Result<(), E> {
        self.inside.meter.add_elements(self.found);
        self.check_length()
    }

    #[inline]
    fn end_fields<E: ser::Error>(&self) -> Result<(), E> {
        self.inside.meter.add_fields(self.found);
        self.check_length()
    }
}

macro_rules! unnamed_parts {
    ($($trait:ident: $method:ident, $end:ident;)*) => {
        $(impl<C: ser::$trait> ser::$trait for Parts<'_, C> {
            type Ok = C::Ok;
            type Error = C::Error;

            #[inline]
            fn $method<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), C::Error> {
                let inside = self.next();
                self.inner.$method(&inside.guard(value))
            }

            #[inline]
            fn end(self) -> Result<C::Ok, C::Error> {
                self.$end()?;
                self.inner.end()
            }
        })*
    };
}

unnamed_parts! {
    SerializeSeq: serialize_element, end_elements;
    SerializeTuple: serialize_element, check_length;
    SerializeTupleStruct: serialize_field, end_fields;
    SerializeTupleVariant: serialize_field, end_fields;
}

macro_rules! named_parts {
    ($($trait:ident),*) => {
        $(impl<C: ser::$trait> ser::$trait for Parts<'_, C> {
            type Ok = C::Ok;
            type Error = C::Error;

            #[inline]
            fn serialize_field<T: Serialize + ?Sized>(
                &mut self,
                key: &'static str,
                value: &T,
            ) -> Result<(), C::Error> {
                let inside = self.next();
                self.inner.serialize_field(key, &inside.guard(value))
            }

            fn skip_field(&mut self, field: &'static str) -> Result<(), C::Error> {
                Err(self.inside.refuse(Unsupported::SkipSerializingIf { field }))
            }

            #[inline]
            fn end(self) -> Result<C::Ok, C::Error> {
                self.end_fields()?;
                self.inner.end()
            }
        })*
    };
}

named_parts!(SerializeStruct, SerializeStructVariant);

impl<C: ser::SerializeMap> ser::SerializeMap for Parts<'_, C> {
    type Ok = C::Ok;
    type Error = C::Error;

    #[inline]
    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), C::Error> {
        let inside = self.next();
        self.inner.serialize_key(&inside.guard(key))
    }

    #[inline]
    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), C::Error> {
        self.inner.serialize_value(&self.inside.guard(value))
    }

    #[inline]
    fn end(self) -> Result<C::Ok, C::Error> {
        self.end_elements()?;
        self.inner.end()
    }
}
