//! What the expansion of `#[pipe_rpc::service]` names.

pub use rpc_core::client::{Caller, Stub};
pub use rpc_core::message::Request;
pub use rpc_core::method::Method;
pub use rpc_core::schema::MethodShape;
pub use rpc_core::server::{Context, Mount, Reply};
pub use rpc_core::tables::table;
pub use std::sync::Arc;

#[cfg(feature = "blocking")]
pub use crate::blocking::BlockingClient;
pub use crate::connect::connect;

use rpc_core::fault::{Fault, Outcome, Reason};

/// The reply to an index that is not in the service's table of methods.
#[must_use]
pub fn unknown_method(request: &Request) -> Reply {
    let fault = Fault::new(Outcome::Refused, Reason::UnknownMethod).with_detail(request.method().name);
    Box::pin(std::future::ready(Err(fault)))
}
