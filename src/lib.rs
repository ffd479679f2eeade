//! Typed async calls between the programs of one computer, over message-mode pipes.
#![forbid(unsafe_code)]

// The expansion of `#[service]` names this crate by its name, also in this crate's own tests and examples.
extern crate self as pipe_rpc;

#[cfg(feature = "blocking")]
mod blocking;
mod channel;
#[cfg(not(feature = "blocking"))]
mod no_blocking;

pub use channel::{Channel, Connect, ConnectError};
pub use rpc_core::fault::{CallError, Fault, Outcome, Reason};
pub use rpc_core::server::Context;
pub use rpc_macros::service;

/// What the expansion of `#[pipe_rpc::service]` names. Not part of the public interface.
#[doc(hidden)]
pub mod __private;
