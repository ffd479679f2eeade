//! The shapes of what methods take and return: what fingerprints are made of, and what people see when two differ.
//!
//! A shape is found by running a type's `Deserialize` on samples and remembering what it asks for, until no part of it is
//! unknown. The way goes from `tracer` (the deserializer) and `state` (what is known, run by run), over `shapes` and
//! `merge` (which places hold the same type), to `model` (a schema), which has a `text`.

// Finding out.
mod access;
mod graph;
mod policy;
mod same;
mod samples;
mod state;
mod tracer;
mod wanting;

// Putting together.
mod build;
mod merge;
mod shape;
mod shapes;

// A schema, and what can be done with it.
mod compare;
mod difference;
mod file;
mod model;
mod parse;
mod text;
mod tokens;

pub use compare::Change;
pub(crate) use compare::explain;
pub use file::CheckError;
pub use model::Schema;
pub use shape::MethodShape;
pub use tokens::ParseError;
