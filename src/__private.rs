//! What the expansion of `#[pipe_rpc::service]` names.

pub use futures_core::Stream;
pub use rpc_core::client::{Caller, Stub};
pub use rpc_core::message::Request;
pub use rpc_core::method::Method;
pub use rpc_core::schema::MethodShape;
pub use rpc_core::server::{Context, Mount, Reply, reply_with_stream};
pub use rpc_core::tables::table;
pub use std::sync::Arc;

#[cfg(feature = "blocking")]
pub use crate::blocking::{BlockingCaller, BlockingClient, BlockingStreaming};
pub use crate::connect::connect;

use crate::{ClientBuilder, Codec, Connect};
use rpc_core::fault::{Fault, Outcome, Reason};

/// The reply to an index that is not in the service's table of methods.
#[must_use]
pub fn unknown_method(request: &Request) -> Reply {
    let fault = Fault::new(Outcome::Refused, Reason::UnknownMethod).with_detail(request.method().name);
    Box::pin(std::future::ready(Err(fault)))
}

/// A generated client, whatever it calls through.
pub trait ClientOver {
    /// The client that calls through `S`.
    type Client<S: Caller>;

    /// Calls through `caller` in `codec`; the service mounted as `name`, if there is one, in place of its own.
    fn over<S: Caller>(caller: S, name: Option<&str>, codec: Codec) -> Self::Client<S>;
}

/// What generated clients are built with.
pub fn builder<C>(target: impl Into<Connect>) -> ClientBuilder<C> {
    ClientBuilder::new(target.into())
}
