//! What a method takes and returns: the list of its types, and the text that is made of them.

use bytes::Bytes;
use serde::de::DeserializeOwned;
use std::any::TypeId;

use super::build::Types;
use super::model::{Argument, BLOCK, Schema, Signature, Type};
use super::shapes::{Label, Shapes};
use super::text;
use super::tracer::Trace;
use crate::method::Method;

/// The types of a method's arguments and result, one after another. `#[pipe_rpc::service]` writes it for each method.
///
/// ```
/// use pipe_rpc_core::schema::MethodShape;
///
/// let shape = MethodShape::new().argument::<String>("word").argument::<u32>("limit").returns::<Vec<String>>();
/// assert_eq!(shape.text(), "(String, u32) -> Vec<String>");
/// ```
#[derive(Clone, Debug, Default)]
pub struct MethodShape {
    arguments: Vec<(&'static str, Flow<Carried>)>,
    output: Option<Flow<Carried>>,
}

/// How values go one way.
#[derive(Clone, Debug)]
enum Flow<T> {
    Value(T),
    Result(T, T),
    /// The items, the error that may end them, and the error that may come in their place.
    Stream(T, Option<T>, Option<T>),
}

/// A type that is all of a body.
#[derive(Clone, Copy, Debug)]
struct Carried {
    trace: fn(&Trace) -> usize,
    is_block: bool,
}

impl Carried {
    fn of<T: DeserializeOwned + 'static>() -> Self {
        let id = TypeId::of::<T>();
        Self {
            trace: Trace::root::<T>,
            is_block: id == TypeId::of::<Bytes>() || id == TypeId::of::<Vec<u8>>(),
        }
    }
}

impl MethodShape {
    /// A method without arguments that returns nothing.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds an argument.
    #[must_use]
    pub fn argument<T: DeserializeOwned + 'static>(self, name: &'static str) -> Self {
        self.takes(name, Flow::Value(Carried::of::<T>()))
    }

    /// Adds an argument that is a stream of `T`.
    #[must_use]
    pub fn argument_stream<T: DeserializeOwned + 'static>(self, name: &'static str) -> Self {
        self.takes(name, Flow::Stream(Carried::of::<T>(), None, None))
    }

    /// Adds an argument that is a stream of `T`, which an `E` may end.
    #[must_use]
    pub fn argument_stream_result<T, E>(self, name: &'static str) -> Self
    where
        T: DeserializeOwned + 'static,
        E: DeserializeOwned + 'static,
    {
        let error = Some(Carried::of::<E>());
        self.takes(name, Flow::Stream(Carried::of::<T>(), error, None))
    }

    /// The method returns a value.
    #[must_use]
    pub fn returns<T: DeserializeOwned + 'static>(self) -> Self {
        self.gives(Flow::Value(Carried::of::<T>()))
    }

    /// The method returns a `Result`.
    #[must_use]
    pub fn returns_result<T, E>(self) -> Self
    where
        T: DeserializeOwned + 'static,
        E: DeserializeOwned + 'static,
    {
        self.gives(Flow::Result(Carried::of::<T>(), Carried::of::<E>()))
    }

    /// The method returns a stream of `T`.
    #[must_use]
    pub fn returns_stream<T: DeserializeOwned + 'static>(self) -> Self {
        self.gives(Flow::Stream(Carried::of::<T>(), None, None))
    }

    /// The method returns a stream of `T`, which an `E` may end.
    #[must_use]
    pub fn returns_stream_result<T, E>(self) -> Self
    where
        T: DeserializeOwned + 'static,
        E: DeserializeOwned + 'static,
    {
        self.gives(Flow::Stream(Carried::of::<T>(), Some(Carried::of::<E>()), None))
    }

    /// The stream that it returns is the `Ok` of a `Result`.
    #[must_use]
    pub fn or_error<E: DeserializeOwned + 'static>(mut self) -> Self {
        if let Some(Flow::Stream(_, _, refusal)) = &mut self.output {
            *refusal = Some(Carried::of::<E>());
        }
        self
    }

    /// The text whose hash is the method's fingerprint: PROTOCOL.md "Names and fingerprints". Each time it is asked for,
    /// the types are traced anew, which takes some microseconds for each struct field and enum variant.
    #[must_use]
    pub fn text(&self) -> String {
        let mut shapes = Shapes::new();
        let sketch = self.sketch(&mut shapes);
        let mut types = Types::new(&shapes);
        let signature = sketch.signature(String::new(), &shapes, &mut types);
        text::canonical(&signature, &types.into_definitions())
    }

    fn takes(mut self, name: &'static str, flow: Flow<Carried>) -> Self {
        self.arguments.push((name, flow));
        self
    }

    fn gives(mut self, flow: Flow<Carried>) -> Self {
        self.output = Some(flow);
        self
    }

    /// Traces all its types. Each method is traced for itself, so that what is seen of it depends on nothing else.
    fn sketch(&self, shapes: &mut Shapes) -> Sketch {
        let trace = Trace::default();
        // Only one value alone is all of a body; several are a tuple.
        let values = self
            .arguments
            .iter()
            .filter(|(_, flow)| matches!(flow, Flow::Value(_)));
        let is_alone = values.count() == 1;
        let argument = |(name, flow): &(_, Flow<Carried>)| {
            let is_whole = is_alone || !matches!(flow, Flow::Value(_));
            (*name, flow.map(|carried| carried.trace(&trace, is_whole)))
        };
        let arguments: Vec<(&'static str, Flow<Traced>)> = self.arguments.iter().map(argument).collect();
        let output = self.output.as_ref();
        let output = output.map(|flow| flow.map(|carried| carried.trace(&trace, true)));
        let base = shapes.add(&trace.into_graph());
        let mut shape = |traced: &Traced| match traced {
            Traced::Block => shapes.word(BLOCK),
            Traced::Node(node) => base + node,
        };
        Sketch {
            arguments: arguments
                .iter()
                .map(|(name, flow)| (*name, flow.map(&mut shape)))
                .collect(),
            output: output.map(|flow| flow.map(&mut shape)),
        }
    }
}

/// What a type was found to be.
enum Traced {
    Block,
    Node(usize),
}

impl Carried {
    fn trace(&self, trace: &Trace, is_whole: bool) -> Traced {
        match self.is_block && is_whole {
            true => Traced::Block,
            false => Traced::Node((self.trace)(trace)),
        }
    }
}

impl<T> Flow<T> {
    fn map<U>(&self, mut each: impl FnMut(&T) -> U) -> Flow<U> {
        match self {
            Self::Value(value) => Flow::Value(each(value)),
            Self::Result(ok, error) => Flow::Result(each(ok), each(error)),
            Self::Stream(item, error, refusal) => Flow::Stream(
                each(item),
                error.as_ref().map(&mut each),
                refusal.as_ref().map(each),
            ),
        }
    }
}

/// A method whose types are shapes.
struct Sketch {
    arguments: Vec<(&'static str, Flow<usize>)>,
    output: Option<Flow<usize>>,
}

impl Sketch {
    fn signature(&self, name: String, shapes: &Shapes, types: &mut Types<'_>) -> Signature {
        let arguments = self.arguments.iter().map(|(name, flow)| Argument {
            name: (*name).to_owned(),
            ty: ty(flow, types),
        });
        let arguments = arguments.collect();
        let output = match &self.output {
            None => Type::UNIT,
            Some(Flow::Value(value)) if shapes.all[*value].label == Label::Result => {
                Type::ResultAsValue(Box::new(types.of(*value)))
            }
            Some(flow) => ty(flow, types),
        };
        Signature {
            name,
            arguments,
            output,
        }
    }
}

fn ty(flow: &Flow<usize>, types: &mut Types<'_>) -> Type {
    let mut of = |shape: &usize| types.of(*shape);
    match flow {
        Flow::Value(value) => of(value),
        Flow::Result(ok, error) => Type::Result(Box::new(of(ok)), Box::new(of(error))),
        Flow::Stream(item, error, refusal) => {
            let item = Box::new(of(item));
            let stream = Type::Stream(item, error.as_ref().map(|error| Box::new(of(error))));
            match refusal {
                Some(refusal) => Type::Result(Box::new(stream), Box::new(of(refusal))),
                None => stream,
            }
        }
    }
}

impl Schema {
    /// The schema of a service with these methods. One whose shape was not given has `?` in place of its types.
    #[must_use]
    pub fn of(service: &str, methods: &[Method]) -> Self {
        let mut shapes = Shapes::new();
        let sketches: Vec<_> = (methods.iter())
            .map(|method| Some(method.shape()?.sketch(&mut shapes)))
            .collect();
        let mut types = Types::new(&shapes);
        let methods = methods
            .iter()
            .zip(&sketches)
            .map(|(method, sketch)| match sketch {
                Some(sketch) => sketch.signature(method.name.to_owned(), &shapes, &mut types),
                None => unseen(method.name),
            });
        Self {
            service: service.to_owned(),
            methods: methods.collect(),
            types: types.into_definitions(),
        }
    }
}

fn unseen(name: &str) -> Signature {
    Signature {
        name: name.to_owned(),
        arguments: vec![Argument {
            name: "arguments".to_owned(),
            ty: Type::UNSEEN,
        }],
        output: Type::UNSEEN,
    }
}
