//! The protocol without I/O: frames in, frames out, events out. Time comes in as an argument; nothing here awaits,
//! locks or asks the clock. PROTOCOL.md is its specification.

mod body;

pub use body::{Body, BodyWriter};
