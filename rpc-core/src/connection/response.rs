//! The futures of calls that were sent. They hold their connection, or borrow it.

use std::borrow::Borrow;
use std::future::Future;
use std::mem;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use super::shared::Shared;
use super::waiting::Ticket;
use crate::fault::Fault;
use crate::message::Response;
use crate::proto::Body;

/// Resolves to the response of a call; of a oneway call, when the system has the whole request.
pub(crate) enum Sent<S: Borrow<Arc<Shared>>> {
    Unary(ResponseFuture<S>),
    Oneway(OnewayFuture<S>),
}

impl<S: Borrow<Arc<Shared>> + Unpin> Future for Sent<S> {
    type Output = Result<Response, Fault>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        match &mut *self {
            Self::Unary(future) => Pin::new(future).poll(cx),
            Self::Oneway(future) => Pin::new(future).poll(cx).map_ok(|()| Response::ok(Body::new())),
        }
    }
}

/// Resolves to the response of a call. Dropped before that, it cancels the call.
pub(crate) struct ResponseFuture<S: Borrow<Arc<Shared>>> {
    shared: S,
    ticket: Option<Ticket>,
    /// The call was sent with the waker of the task that polls next: there is nothing to look for yet.
    is_waiting: bool,
}

impl<S: Borrow<Arc<Shared>>> ResponseFuture<S> {
    pub(crate) fn new(shared: S, ticket: Ticket) -> Self {
        Self {
            shared,
            ticket: Some(ticket),
            is_waiting: false,
        }
    }

    /// Of a call that was sent with the waker of the task that polls this next, and at once.
    pub(crate) fn waiting(shared: S, ticket: Ticket) -> Self {
        Self {
            shared,
            ticket: Some(ticket),
            is_waiting: true,
        }
    }
}

impl<S: Borrow<Arc<Shared>> + Unpin> Future for ResponseFuture<S> {
    type Output = Result<Response, Fault>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        if mem::take(&mut self.is_waiting) {
            return Poll::Pending;
        }
        let ticket = self.ticket.expect("a future is not polled after it is ready");
        let Some(result) = self.shared.borrow().poll_result(ticket, cx.waker()) else {
            return Poll::Pending;
        };
        self.ticket = None;
        Poll::Ready(result)
    }
}

impl<S: Borrow<Arc<Shared>>> Drop for ResponseFuture<S> {
    fn drop(&mut self) {
        if let Some(ticket) = self.ticket.take() {
            self.shared.borrow().abandon(ticket);
        }
    }
}

/// Resolves when the system has the whole request. Dropped before that, the call may or may not run.
pub(crate) struct OnewayFuture<S: Borrow<Arc<Shared>>> {
    shared: S,
    ticket: Option<Ticket>,
    waiting: bool,
}

impl<S: Borrow<Arc<Shared>>> OnewayFuture<S> {
    pub(crate) fn new(shared: S, ticket: Ticket) -> Self {
        Self {
            shared,
            ticket: Some(ticket),
            waiting: false,
        }
    }
}

impl<S: Borrow<Arc<Shared>> + Unpin> Future for OnewayFuture<S> {
    type Output = Result<(), Fault>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let ticket = self.ticket.expect("a future is not polled after it is ready");
        // The driver wakes this future when it has flushed; before that, what has left may not be with the system.
        if self.waiting && self.shared.borrow().has_left(ticket) {
            self.shared.borrow().forget(ticket);
            self.ticket = None;
            return Poll::Ready(Ok(()));
        }
        self.waiting = true;
        let Some(result) = self.shared.borrow().poll_flushed(ticket, cx.waker()) else {
            return Poll::Pending;
        };
        self.ticket = None;
        Poll::Ready(result)
    }
}

impl<S: Borrow<Arc<Shared>>> Drop for OnewayFuture<S> {
    fn drop(&mut self) {
        if let Some(ticket) = self.ticket.take() {
            self.shared.borrow().abandon(ticket);
        }
    }
}
