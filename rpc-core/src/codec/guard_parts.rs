//! The guard around the parts of a value: each goes through the guard itself, and they are counted.

use serde::ser::{self, Serialize};

use super::guard_rules::Rules;
use super::guard_ser::Inside;

/// The elements or fields of a value, as they come.
pub(super) struct Parts<'a, C, R> {
    inner: C,
    inside: Inside<'a, R>,
    announced: usize,
    found: usize,
}

impl<'a, C, R: Rules> Parts<'a, C, R> {
    #[inline]
    pub(super) fn new(inner: C, inside: Inside<'a, R>, announced: usize) -> Self {
        Self {
            inner,
            inside,
            announced,
            found: 0,
        }
    }

    /// Counts one part; the guard it goes through.
    #[inline]
    fn next(&mut self) -> Inside<'a, R> {
        self.found += 1;
        self.inside
    }

    #[inline]
    fn check_length<E: ser::Error>(&self) -> Result<(), E> {
        self.inside
            .ask(|rules| rules.check_length(self.announced, self.found))
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
        $(impl<C: ser::$trait, R: Rules> ser::$trait for Parts<'_, C, R> {
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
        $(impl<C: ser::$trait, R: Rules> ser::$trait for Parts<'_, C, R> {
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
                self.inside.ask(|rules| rules.check_skipped(field))?;
                self.inner.skip_field(field)
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

impl<C: ser::SerializeMap, R: Rules> ser::SerializeMap for Parts<'_, C, R> {
    type Ok = C::Ok;
    type Error = C::Error;

    #[inline]
    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), C::Error> {
        let inside = self.next();
        self.inner.serialize_key(&inside.under(R::of_key).guard(key))
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
