//! The futures of calls that were sent.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use super::shared::Shared;
use super::waiting::Ticket;
use crate::fault::Fault;
use crate::message::Response;

/// Resolves to the response of a call. Dropped before that, it cancels the call.
pub(crate) struct ResponseFuture {
    shared: Arc<Shared>,
    ticket: Option<Ticket>,
}

impl ResponseFuture {
    pub(crate) fn new(shared: Arc<Shared>, ticket: Ticket) -> Self {
        Self {
            shared,
            ticket: Some(ticket),
        }
    }
}

impl Future for ResponseFuture {
    type Output = Result<Response, Fault>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let ticket = self.ticket.expect("a future is not polled after it is ready");
        let Some(result) = self.shared.poll_result(ticket, cx.waker()) else {
            return Poll::Pending;
        };
        self.ticket = None;
        Poll::Ready(result)
    }
}

impl Drop for ResponseFuture {
    fn drop(&mut self) {
        if let Some(ticket) = self.ticket.take() {
            self.shared.abandon(ticket);
        }
    }
}

/// Resolves when the system has the whole request. Dropped before that, the call may or may not run.
pub(crate) struct OnewayFuture {
    shared: Arc<Shared>,
    ticket: Option<Ticket>,
    waiting: bool,
}

impl OnewayFuture {
    pub(crate) fn new(shared: Arc<Shared>, ticket: Ticket) -> Self {
        Self {
            shared,
            ticket: Some(ticket),
            waiting: false,
        }
    }
}

impl Future for OnewayFuture {
    type Output = Result<(), Fault>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let ticket = self.ticket.expect("a future is not polled after it is ready");
        // The driver wakes this future when it has flushed; before that, what has left may not be with the system.
        if self.waiting && self.shared.has_left(ticket) {
            self.shared.forget(ticket);
            self.ticket = None;
            return Poll::Ready(Ok(()));
        }
        self.waiting = true;
        let Some(result) = self.shared.poll_flushed(ticket, cx.waker()) else {
            return Poll::Pending;
        };
        self.ticket = None;
        Poll::Ready(result)
    }
}

impl Drop for OnewayFuture {
    fn drop(&mut self) {
        if let Some(ticket) = self.ticket.take() {
            self.shared.abandon(ticket);
        }
    }
}
