//! How a call ended, as its span tells it.

use std::error::Error;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use futures_core::Stream;
use tracing::Span;

use crate::fault::{Fault, Outcome};
use crate::message::Response;
use crate::proto::Body;
use crate::streaming::{ItemError, Items};

/// Tells a span how its call ended. One that is dropped before was cancelled.
pub(super) struct Ending {
    span: Span,
    told: bool,
}

impl Ending {
    pub(super) fn of(span: &Span) -> Self {
        Self {
            span: span.clone(),
            told: false,
        }
    }

    /// The call is answered; if by a stream, it ends with that.
    pub(super) fn answered(mut self, response: Response) -> Response {
        if response.is_stream() {
            return response.map_items(|items| Items::new(Watched { items, ending: self }));
        }
        self.tell(if response.is_failed() { "failed" } else { "ok" });
        response
    }

    pub(super) fn failed(mut self, error: &(dyn Error + 'static)) {
        let outcome = match error.downcast_ref::<Fault>() {
            Some(fault) => self.fault(fault),
            None => "layer",
        };
        self.error(error);
        self.tell(outcome);
    }

    fn fault(&self, fault: &Fault) -> &'static str {
        self.span
            .record("rpc.reason", tracing::field::debug(fault.reason()));
        match fault.outcome() {
            Outcome::NotSent => "not_sent",
            Outcome::Refused => "refused",
            Outcome::MayHaveRun => "may_have_run",
            Outcome::Ran => "ran",
        }
    }

    fn error(&self, error: &dyn Error) {
        self.span.record("otel.status_code", "ERROR");
        self.span
            .record("otel.status_description", tracing::field::display(error));
    }

    fn tell(&mut self, outcome: &'static str) {
        if !std::mem::replace(&mut self.told, true) {
            self.span.record("rpc.outcome", outcome);
        }
    }
}

impl Drop for Ending {
    fn drop(&mut self) {
        self.tell("cancelled");
    }
}

/// The items of a call, whose making belongs to its span, and whose end is the call's.
struct Watched {
    items: Items,
    ending: Ending,
}

impl Stream for Watched {
    type Item = Result<Body, ItemError>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = &mut *self;
        let _entered = this.ending.span.clone().entered();
        let item = ready!(Pin::new(&mut this.items).poll_next(cx));
        match &item {
            Some(Ok(_)) => {}
            None => this.ending.tell("ok"),
            Some(Err(ItemError::Failed(_))) => this.ending.tell("failed"),
            Some(Err(ItemError::Fault(fault))) => {
                let outcome = this.ending.fault(fault);
                this.ending.error(fault);
                this.ending.tell(outcome);
            }
        }
        Poll::Ready(item)
    }
}
