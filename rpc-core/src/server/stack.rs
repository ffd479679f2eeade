//! Tower layers between the connection and the services.

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::task::{Context, Poll};

use futures_util::FutureExt;
use tower::{Layer, Service};

use crate::client::BoxError;
use crate::connection::{Stack, fault_of_layer, fault_of_layer_panic};
use crate::fault::{Fault, Outcome};
use crate::message::{Request, Response};

use super::gate::Gate;
use super::{Reply, Router};

/// Layers over the router that have been applied: the stack that every connection gets an instance of.
pub(super) trait Whole: Send + Sync {
    /// An instance for a connection, with the connection's own layers over it.
    fn instance(&self) -> Box<dyn Stack>;
}

/// A stack as the connection sees it: errors are faults, futures are boxed.
#[derive(Clone)]
pub(super) struct Layered<S>(S);

impl<S> Stack for Layered<S>
where
    S: Service<Request, Response = Response> + Clone + Send + 'static,
    S::Error: Into<BoxError>,
    S::Future: Send,
{
    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Fault>> {
        self.0
            .poll_ready(cx)
            .map_err(|error| fault_of_layer(error.into(), Outcome::Refused))
    }

    fn call(&mut self, mut request: Request) -> Reply {
        let gate = request.context_mut().map(super::Context::gate);
        let called = catch_unwind(AssertUnwindSafe(|| self.0.call(request)));
        Box::pin(async move {
            let running = async { called.unwrap_or_else(|panic| resume_unwind(panic)).await };
            let ended = AssertUnwindSafe(running).catch_unwind().await;
            let outcome = || outcome(gate.as_deref());
            match ended {
                Ok(result) => result.map_err(|error| fault_of_layer(error.into(), outcome())),
                Err(panic) if outcome() == Outcome::Refused => Err(fault_of_layer_panic(&*panic)),
                // The method's own, or that of a layer after it: the connection makes a fault of it.
                Err(panic) => resume_unwind(panic),
            }
        })
    }

    fn another(&self) -> Box<dyn Stack> {
        Box::new(self.clone())
    }
}

/// Whether a call that a layer failed ran: only the innermost service knows whether it was entered.
fn outcome(gate: Option<&Gate>) -> Outcome {
    if gate.is_some_and(Gate::shut) {
        Outcome::Refused
    } else {
        Outcome::MayHaveRun
    }
}

/// The whole server's layers, applied once; those of each connection, applied for each.
pub(super) struct Layers<S, L> {
    pub(super) shared: S,
    pub(super) connection: L,
}

impl<S, L> Whole for Layers<S, L>
where
    S: Clone + Send + Sync + 'static,
    L: Layer<S> + Send + Sync,
    L::Service: Service<Request, Response = Response> + Clone + Send + 'static,
    <L::Service as Service<Request>>::Error: Into<BoxError>,
    <L::Service as Service<Request>>::Future: Send,
{
    fn instance(&self) -> Box<dyn Stack> {
        Box::new(Layered(self.connection.layer(self.shared.clone())))
    }
}

/// No layers at all: the router itself, without another box for each call.
impl Whole for Router {
    fn instance(&self) -> Box<dyn Stack> {
        Box::new(self.clone())
    }
}
