//! A deserializer that has nothing to give but samples, and remembers what it is asked for.

use std::any::type_name;
use std::cell::{RefCell, RefMut};
use std::fmt;
use std::marker::PhantomData;
use std::panic::{AssertUnwindSafe, catch_unwind};

use serde::de::{DeserializeOwned, DeserializeSeed, Deserializer, Visitor};

use super::access::{EnumTracer, Field, Nothing, Parts};
use super::graph::{self, Body, Graph, Kind, Leaf, Place, Slot};
use super::samples::{BOOLS, BYTES, CHARS, FLOATS, KINDS_OF_ANY, NUMBERS, STRINGS};
use super::state::{Blocked, State};
use super::wanting::Plan;

/// What is known of some types.
#[derive(Default)]
pub(super) struct Trace(RefCell<State>);

impl Trace {
    /// Finds out all that can be found out about `T`; its node.
    pub(super) fn root<T: DeserializeOwned>(&self) -> usize {
        let root = self.state().place(None, Place::seed::<PhantomData<T>>());
        while self.state().begin_run(root) {
            // Nothing of the user's is kept from a run that panics, and the state is not borrowed while it runs.
            let run = AssertUnwindSafe(|| drop(self.enter(root, |tracer| T::deserialize(tracer))));
            if catch_unwind(run).is_err() {
                tracing::debug!(type_name = type_name::<T>(), "a Deserialize panicked on a sample");
                self.state().panicked();
            }
        }
        root
    }

    pub(super) fn into_graph(self) -> Graph {
        self.0.into_inner().graph
    }

    pub(super) fn state(&self) -> RefMut<'_, State> {
        self.0.borrow_mut()
    }

    /// Makes a value at the place of its seed, which is a part of `parent`.
    pub(super) fn value<S: DeserializeSeed<'static>>(
        &self,
        parent: usize,
        slot: Slot,
        seed: S,
    ) -> Result<S::Value, Rejected> {
        let node = self.state().place(Some((parent, slot)), Place::seed::<S>());
        self.enter(node, |tracer| seed.deserialize(tracer))
    }

    fn enter<T>(
        &self,
        node: usize,
        make: impl FnOnce(Tracer<'_>) -> Result<T, Rejected>,
    ) -> Result<T, Rejected> {
        self.state().enter(node)?;
        let value = make(Tracer { trace: self, node });
        self.state().leave(value.is_ok());
        // What a part says of its own fields is not about those of its parent.
        value.map_err(|_| Rejected::default())
    }
}

/// One place.
#[derive(Clone, Copy)]
pub(super) struct Tracer<'t> {
    pub(super) trace: &'t Trace,
    pub(super) node: usize,
}

impl Tracer<'_> {
    fn leaf(self, leaf: Leaf, samples: usize) -> Result<usize, Rejected> {
        let mut state = self.trace.state();
        state.asks_for(self.node, Kind::Leaf(leaf))?;
        Ok(state.sample(samples)?)
    }

    fn asks_for(self, kind: Kind) -> Result<(), Rejected> {
        Ok(self.trace.state().asks_for(self.node, kind)?)
    }

    /// Gives the parts of a body.
    pub(super) fn body<V: Visitor<'static>>(
        self,
        variant: Option<usize>,
        offered: usize,
        names: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Rejected> {
        let plan = self.trace.state().plan(variant);
        match plan {
            Plan::InTurn => {
                let value = visitor.visit_seq(Parts::new(self, variant, offered))?;
                self.trace.state().is_whole(self.node, variant);
                Ok(value)
            }
            Plan::Probe(index) => {
                let value = visitor.visit_map(Field::new(self, variant, index, names[index]));
                if let Err(Rejected { twice: Some(field) }) = value {
                    self.trace.state().name_is_of(self.node, variant, index, field);
                }
                value
            }
        }
    }
}

macro_rules! leaves {
    ($($method:ident: $word:literal, $samples:ident => $visit:ident($sample:ident $(as $ty:ty)?);)*) => {
        $(fn $method<V: Visitor<'static>>(self, visitor: V) -> Result<V::Value, Rejected> {
            let $sample = $samples[self.leaf(Leaf::Word($word), $samples.len())?];
            visitor.$visit($sample $(as $ty)?)
        })*
    };
}

impl<'t> Deserializer<'static> for Tracer<'t> {
    type Error = Rejected;

    leaves! {
        deserialize_bool: "bool", BOOLS => visit_bool(sample);
        deserialize_i8: "i8", NUMBERS => visit_i8(sample as i8);
        deserialize_i16: "i16", NUMBERS => visit_i16(sample as i16);
        deserialize_i32: "i32", NUMBERS => visit_i32(sample as i32);
        deserialize_i64: "i64", NUMBERS => visit_i64(sample as i64);
        deserialize_i128: "i128", NUMBERS => visit_i128(sample as i128);
        deserialize_u8: "u8", NUMBERS => visit_u8(sample);
        deserialize_u16: "u16", NUMBERS => visit_u16(sample as u16);
        deserialize_u32: "u32", NUMBERS => visit_u32(sample as u32);
        deserialize_u64: "u64", NUMBERS => visit_u64(sample as u64);
        deserialize_u128: "u128", NUMBERS => visit_u128(sample as u128);
        deserialize_f32: "f32", FLOATS => visit_f32(sample);
        deserialize_f64: "f64", FLOATS => visit_f64(sample as f64);
        deserialize_char: "char", CHARS => visit_char(sample);
        deserialize_str: "String", STRINGS => visit_borrowed_str(sample);
        deserialize_string: "String", STRINGS => visit_borrowed_str(sample);
    }

    fn deserialize_bytes<V: Visitor<'static>>(self, visitor: V) -> Result<V::Value, Rejected> {
        visitor.visit_borrowed_bytes(BYTES[self.leaf(Leaf::Bytes, BYTES.len())?])
    }

    fn deserialize_byte_buf<V: Visitor<'static>>(self, visitor: V) -> Result<V::Value, Rejected> {
        self.deserialize_bytes(visitor)
    }

    fn deserialize_unit<V: Visitor<'static>>(self, visitor: V) -> Result<V::Value, Rejected> {
        self.leaf(Leaf::Unit, 1)?;
        visitor.visit_unit()
    }

    fn deserialize_any<V: Visitor<'static>>(self, visitor: V) -> Result<V::Value, Rejected> {
        match self.leaf(Leaf::Any, KINDS_OF_ANY)? {
            0 => visitor.visit_unit(),
            1 => visitor.visit_borrowed_str(""),
            2 => visitor.visit_u64(1),
            3 => visitor.visit_bool(false),
            4 => visitor.visit_seq(Nothing),
            _ => visitor.visit_map(Nothing),
        }
    }

    fn deserialize_ignored_any<V: Visitor<'static>>(self, visitor: V) -> Result<V::Value, Rejected> {
        self.deserialize_any(visitor)
    }

    fn deserialize_identifier<V: Visitor<'static>>(self, _: V) -> Result<V::Value, Rejected> {
        self.leaf(Leaf::Identifier, 0).map(|_| ())?;
        Err(Rejected::default())
    }

    fn deserialize_option<V: Visitor<'static>>(self, visitor: V) -> Result<V::Value, Rejected> {
        self.asks_for(Kind::Option(None))?;
        if self.trace.state().length()? == 0 {
            return visitor.visit_none();
        }
        let parent = Some((self.node, Slot::Only));
        let node = self.trace.state().place(parent, Place::some::<V>());
        self.trace.enter(node, |tracer| visitor.visit_some(tracer))
    }

    fn deserialize_unit_struct<V: Visitor<'static>>(
        self,
        name: &'static str,
        visitor: V,
    ) -> Result<V::Value, Rejected> {
        self.asks_for(Kind::UnitStruct(name))?;
        visitor.visit_unit()
    }

    fn deserialize_newtype_struct<V: Visitor<'static>>(
        self,
        name: &'static str,
        visitor: V,
    ) -> Result<V::Value, Rejected> {
        self.asks_for(Kind::Newtype(name, None))?;
        let parent = Some((self.node, Slot::Only));
        let node = self.trace.state().place(parent, Place::newtype::<V>());
        self.trace
            .enter(node, |tracer| visitor.visit_newtype_struct(tracer))
    }

    fn deserialize_seq<V: Visitor<'static>>(self, visitor: V) -> Result<V::Value, Rejected> {
        self.asks_for(Kind::Seq(None))?;
        let len = self.trace.state().length()?;
        visitor.visit_seq(Parts::elements(self, len))
    }

    fn deserialize_map<V: Visitor<'static>>(self, visitor: V) -> Result<V::Value, Rejected> {
        self.asks_for(Kind::Map(None, None))?;
        let len = self.trace.state().length()?;
        visitor.visit_map(Parts::elements(self, len))
    }

    fn deserialize_tuple<V: Visitor<'static>>(self, len: usize, visitor: V) -> Result<V::Value, Rejected> {
        self.asks_for(Kind::Tuple(Body::new(len, &[])))?;
        self.body(None, len, &[], visitor)
    }

    fn deserialize_tuple_struct<V: Visitor<'static>>(
        self,
        name: &'static str,
        len: usize,
        visitor: V,
    ) -> Result<V::Value, Rejected> {
        self.asks_for(Kind::TupleStruct(name, Body::new(len, &[])))?;
        self.body(None, len, &[], visitor)
    }

    fn deserialize_struct<V: Visitor<'static>>(
        self,
        name: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Rejected> {
        self.asks_for(Kind::Struct(name, Body::new(fields.len(), fields)))?;
        self.body(None, fields.len(), fields, visitor)
    }

    fn deserialize_enum<V: Visitor<'static>>(
        self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Rejected> {
        let known = variants.iter().map(|name| graph::Variant::new(name)).collect();
        self.asks_for(Kind::Enum(name, known))?;
        let variant = self.trace.state().variant()?;
        visitor.visit_enum(EnumTracer::new(self, variant, variants[variant]))
    }

    /// As the codec, since some types look otherwise to people.
    fn is_human_readable(&self) -> bool {
        false
    }
}

/// A Deserialize does not want the sample, or there is none for it.
#[derive(Debug, Default)]
pub(super) struct Rejected {
    /// The field that came a second time.
    pub(super) twice: Option<&'static str>,
}

impl From<Blocked> for Rejected {
    fn from(Blocked: Blocked) -> Self {
        Self::default()
    }
}

impl serde::de::Error for Rejected {
    fn custom<T: fmt::Display>(_: T) -> Self {
        Self::default()
    }

    fn duplicate_field(field: &'static str) -> Self {
        Self { twice: Some(field) }
    }
}

impl fmt::Display for Rejected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the sample is not wanted")
    }
}

impl std::error::Error for Rejected {}
