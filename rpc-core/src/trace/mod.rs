//! Spans for calls, which belong together across processes: W3C trace context, carried as metadata.

mod carrier;
mod ending;
mod layer;

pub use layer::{Trace, TraceLayer};
