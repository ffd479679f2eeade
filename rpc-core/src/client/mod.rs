//! Calling: the channel and the stub that generated clients are made of.

mod stub;

pub use stub::{BoxError, Caller, Stub};
