//! The future of a call that was sent. It holds its connection, or borrows it.

use std::borrow::Borrow;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use super::shared::Shared;
use super::waiting::Ticket;
use crate::fault::Fault;
use crate::message::Response;
use crate::proto::Body;

/// Resolves to the response of a call. Dropped before that, it cancels the call. Of a oneway call, it resolves when the
/// system has the whole request; dropped before that, the call may or may not run.
pub(crate) struct Sent<S: Borrow<Arc<Shared>>> {
    shared: S,
    ticket: Option<Ticket>,
    next: Next,
}

/// What the next poll is for.
#[derive(Clone, Copy)]
enum Next {
    /// Nothing: the call was sent with the waker of the task that polls.
    Wait,
    Result,
    Flush,
}

impl<S: Borrow<Arc<Shared>>> Sent<S> {
    #[inline]
    pub(crate) fn new(shared: S, ticket: Ticket, oneway: bool) -> Self {
        Self {
            shared,
            ticket: Some(ticket),
            next: if oneway { Next::Flush } else { Next::Result },
        }
    }

    /// Of a call that was sent with the waker of the task that polls this next, and at once.
    #[inline]
    pub(crate) fn waiting(shared: S, ticket: Ticket, oneway: bool) -> Self {
        Self {
            shared,
            ticket: Some(ticket),
            next: if oneway { Next::Flush } else { Next::Wait },
        }
    }

    /// Whether the system has the request of a oneway call.
    fn poll_flushed(&self, ticket: Ticket, waker: &Waker) -> Option<Result<Response, Fault>> {
        let flushed = self.shared.borrow().poll_flushed(ticket, waker)?;
        Some(flushed.map(|()| Response::ok(Body::new())))
    }
}

impl<S: Borrow<Arc<Shared>> + Unpin> Future for Sent<S> {
    type Output = Result<Response, Fault>;

    #[inline]
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let ticket = self.ticket.expect("a future is not polled after it is ready");
        let result = match self.next {
            Next::Wait => {
                self.next = Next::Result;
                return Poll::Pending;
            }
            Next::Result => self.shared.borrow().poll_result(ticket, cx.waker()),
            Next::Flush => self.poll_flushed(ticket, cx.waker()),
        };
        let Some(result) = result else {
            return Poll::Pending;
        };
        self.ticket = None;
        Poll::Ready(result)
    }
}

impl<S: Borrow<Arc<Shared>>> Drop for Sent<S> {
    #[inline]
    fn drop(&mut self) {
        if let Some(ticket) = self.ticket.take() {
            self.shared.borrow().abandon(ticket);
        }
    }
}
