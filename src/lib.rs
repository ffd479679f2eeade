//! Typed async calls between the programs of one computer, over message-mode pipes.
#![forbid(unsafe_code)]

pub use rpc_core::fault::{CallError, Fault, Outcome, Reason};

#[cfg(doctest)]
mod book;

/// What the expansion of `#[pipe_rpc::service]` names. Not part of the public interface.
#[doc(hidden)]
pub mod __private {
    pub use rpc_core::client::{Caller, Stub};
    pub use rpc_core::message::Request;
    pub use rpc_core::method::Method;
    pub use rpc_core::server::{Context, Mount, Reply};
    pub use std::sync::Arc;
}
