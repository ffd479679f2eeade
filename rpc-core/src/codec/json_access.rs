//! The guard around what a JSON value is made of: elements, entries, variants.

use std::fmt;

use serde::de::{
    DeserializeSeed, Deserializer, EnumAccess, Error, MapAccess, SeqAccess, VariantAccess, Visitor,
};

use super::json_de::Inside;
use super::json_keys::Keys;

/// A visitor that sees only guarded parts.
pub(super) struct GuardVisitor<'m, V> {
    visitor: V,
    inside: Inside<'m>,
    /// Whether the type itself refuses a field that comes twice, as derived structs do.
    knows_fields: bool,
}

impl<'m, V> GuardVisitor<'m, V> {
    pub(super) fn new(visitor: V, inside: Inside<'m>) -> Self {
        Self {
            visitor,
            inside,
            knows_fields: false,
        }
    }

    pub(super) fn of_struct(visitor: V, inside: Inside<'m>) -> Self {
        Self {
            visitor,
            inside,
            knows_fields: true,
        }
    }
}

macro_rules! pass_on {
    ($($method:ident: $type:ty,)*) => {
        $(fn $method<E: Error>(self, value: $type) -> Result<V::Value, E> {
            self.inside.check_key(&value)?;
            self.visitor.$method(value)
        })*
    };
}

impl<'de, V: Visitor<'de>> Visitor<'de> for GuardVisitor<'_, V> {
    type Value = V::Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.visitor.expecting(f)
    }

    pass_on! {
        visit_bool: bool,
        visit_i8: i8,
        visit_i16: i16,
        visit_i32: i32,
        visit_i64: i64,
        visit_i128: i128,
        visit_u8: u8,
        visit_u16: u16,
        visit_u32: u32,
        visit_u64: u64,
        visit_u128: u128,
        visit_f32: f32,
        visit_f64: f64,
        visit_char: char,
        visit_str: &str,
        visit_borrowed_str: &'de str,
        visit_string: String,
    }

    fn visit_bytes<E: Error>(self, value: &[u8]) -> Result<V::Value, E> {
        self.inside.check_key(value.escape_ascii())?;
        self.visitor.visit_bytes(value)
    }

    fn visit_borrowed_bytes<E: Error>(self, value: &'de [u8]) -> Result<V::Value, E> {
        self.inside.check_key(value.escape_ascii())?;
        self.visitor.visit_borrowed_bytes(value)
    }

    fn visit_byte_buf<E: Error>(self, value: Vec<u8>) -> Result<V::Value, E> {
        self.inside.check_key(value.escape_ascii())?;
        self.visitor.visit_byte_buf(value)
    }

    fn visit_unit<E: Error>(self) -> Result<V::Value, E> {
        self.visitor.visit_unit()
    }

    fn visit_none<E: Error>(self) -> Result<V::Value, E> {
        self.visitor.visit_none()
    }

    fn visit_some<D: Deserializer<'de>>(self, inner: D) -> Result<V::Value, D::Error> {
        self.visitor.visit_some(self.inside.down()?.guard(inner))
    }

    fn visit_newtype_struct<D: Deserializer<'de>>(self, inner: D) -> Result<V::Value, D::Error> {
        self.visitor
            .visit_newtype_struct(self.inside.down()?.guard(inner))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, inner: A) -> Result<V::Value, A::Error> {
        let inside = self.inside.with_keys(None).down()?;
        self.visitor.visit_seq(Elements { inner, inside })
    }

    fn visit_map<A: MapAccess<'de>>(self, inner: A) -> Result<V::Value, A::Error> {
        let inside = self.inside.with_keys(None).down()?;
        let keys = (!self.knows_fields).then(Keys::default);
        self.visitor.visit_map(Entries { inner, inside, keys })
    }

    fn visit_enum<A: EnumAccess<'de>>(self, inner: A) -> Result<V::Value, A::Error> {
        let inside = self.inside;
        self.visitor.visit_enum(Choice { inner, inside })
    }
}

/// The guarded elements of an array.
struct Elements<'m, A> {
    inner: A,
    inside: Inside<'m>,
}

impl<'de, A: SeqAccess<'de>> SeqAccess<'de> for Elements<'_, A> {
    type Error = A::Error;

    fn next_element_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<Option<S::Value>, A::Error> {
        self.inner.next_element_seed(self.inside.seed(seed))
    }

    fn size_hint(&self) -> Option<usize> {
        self.inner.size_hint()
    }
}

/// The guarded entries of an object.
struct Entries<'m, A> {
    inner: A,
    inside: Inside<'m>,
    keys: Option<Keys>,
}

impl<'de, A: MapAccess<'de>> MapAccess<'de> for Entries<'_, A> {
    type Error = A::Error;

    fn next_key_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<Option<S::Value>, A::Error> {
        let key = self.inside.with_keys(self.keys.as_ref());
        self.inner.next_key_seed(key.seed(seed))
    }

    fn next_value_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<S::Value, A::Error> {
        self.inner.next_value_seed(self.inside.seed(seed))
    }

    fn size_hint(&self) -> Option<usize> {
        self.inner.size_hint()
    }
}

/// A guarded enum, before its variant is known.
struct Choice<'m, A> {
    inner: A,
    inside: Inside<'m>,
}

impl<'de, 'm, A: EnumAccess<'de>> EnumAccess<'de> for Choice<'m, A> {
    type Error = A::Error;
    type Variant = Content<'m, A::Variant>;

    fn variant_seed<S: DeserializeSeed<'de>>(self, seed: S) -> Result<(S::Value, Self::Variant), A::Error> {
        let (name, inner) = self.inner.variant_seed(self.inside.seed(seed))?;
        let inside = self.inside.with_keys(None);
        Ok((name, Content { inner, inside }))
    }
}

/// The guarded content of a variant.
struct Content<'m, A> {
    inner: A,
    inside: Inside<'m>,
}

impl<'de, A: VariantAccess<'de>> VariantAccess<'de> for Content<'_, A> {
    type Error = A::Error;

    fn unit_variant(self) -> Result<(), A::Error> {
        self.inner.unit_variant()
    }

    fn newtype_variant_seed<S: DeserializeSeed<'de>>(self, seed: S) -> Result<S::Value, A::Error> {
        let inside = self.inside.down()?;
        self.inner.newtype_variant_seed(inside.seed(seed))
    }

    fn tuple_variant<V: Visitor<'de>>(self, len: usize, visitor: V) -> Result<V::Value, A::Error> {
        let visitor = GuardVisitor::new(visitor, self.inside);
        self.inner.tuple_variant(len, visitor)
    }

    fn struct_variant<V: Visitor<'de>>(
        self,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, A::Error> {
        let visitor = GuardVisitor::of_struct(visitor, self.inside);
        self.inner.struct_variant(fields, visitor)
    }
}
