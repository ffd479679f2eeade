//! The shapes of what a method takes and returns, as serde's `Deserialize` shows them.
mod access;
mod build;
mod compare;
mod difference;
mod file;
mod graph;
mod merge;
mod model;
mod parse;
mod policy;
mod samples;
mod shape;
mod text;
mod tracer;

pub use compare::Change;
pub(crate) use compare::explain;
pub use file::CheckError;
pub use model::Schema;
pub use parse::ParseError;
pub use shape::MethodShape;
