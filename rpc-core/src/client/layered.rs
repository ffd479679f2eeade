//! Calls through a stack of tower layers: what such a stack is, how a call goes through it, and what its errors mean.

use std::any::TypeId;
use std::error::Error;
use std::future::poll_fn;

use tower::Service;

use crate::connection::fault_of_layer;
use crate::fault::{Fault, Outcome};
use crate::message::{Request, Response};

use super::Reconnecting;
use super::within::within;

/// The error of tower layers.
pub type BoxError = Box<dyn Error + Send + Sync>;

/// What a client can make its calls through: a channel, or any stack of tower layers over one.
pub trait Caller:
    Service<Request, Response = Response, Error: Into<BoxError>, Future: Send> + Clone + Send + Sync + 'static
{
}

impl<S> Caller for S where
    S: Service<Request, Response = Response, Error: Into<BoxError>, Future: Send>
        + Clone
        + Send
        + Sync
        + 'static
{
}

/// Calls as soon as the stack is ready, and waits for the answer; neither past the deadline.
pub(super) async fn through_layers<S: Caller>(mut caller: S, request: Request) -> Result<Response, Fault> {
    let deadline = request.deadline();
    let ready = poll_fn(|cx| caller.poll_ready(cx));
    let ready = match deadline {
        Some(deadline) => within(deadline, Outcome::NotSent, ready).await?,
        None => ready.await,
    };
    ready.map_err(|error| fault_of_layer(error.into(), Outcome::NotSent))?;
    let calling = caller.call(request);
    let called = match deadline.filter(|_| !sees_to_deadlines::<S>()) {
        Some(deadline) => within(deadline, Outcome::MayHaveRun, calling).await?,
        None => calling.await,
    };
    called.map_err(|error| fault_of_call(error.into()))
}

/// Whether `S` ends calls at their deadlines itself: its channel does, with one timer for all calls of a connection.
fn sees_to_deadlines<S: 'static>() -> bool {
    TypeId::of::<S>() == TypeId::of::<Reconnecting>()
}

/// What an error of a call through layers means. A layer that sheds load does not pass the call on.
pub(super) fn fault_of_call(error: BoxError) -> Fault {
    let is_shed = error.is::<tower::load_shed::error::Overloaded>();
    let outcome = if is_shed {
        Outcome::NotSent
    } else {
        Outcome::MayHaveRun
    };
    fault_of_layer(error, outcome)
}
