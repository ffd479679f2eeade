//! Credit that is reserved for a call before it is made, and the wait for it.

use std::borrow::Borrow;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker, ready};

use super::credit_line::Place;
use super::shared::Shared;
use crate::fault::Fault;

/// Credit for one call of depth 0. Dropped, it is there for another.
pub(crate) struct Permit<S: Borrow<Arc<Shared>>> {
    shared: S,
    is_spent: bool,
}

impl<S: Borrow<Arc<Shared>>> Permit<S> {
    /// Of credit that was taken from the line.
    #[inline]
    pub(super) fn of_taken(shared: S) -> Self {
        let is_spent = false;
        Self { shared, is_spent }
    }

    /// The call was sent: its slot gives the credit back when it is free again.
    #[inline]
    pub(crate) fn spend(mut self) {
        self.is_spent = true;
    }
}

impl<S: Borrow<Arc<Shared>>> Drop for Permit<S> {
    #[inline]
    fn drop(&mut self) {
        if !self.is_spent {
            let next = self.shared.borrow().lock().line.give();
            next.into_iter().for_each(Waker::wake);
        }
    }
}

/// Resolves to credit for one call: at once if there is some, else first come, first served. Dropped before that, it leaves
/// the line.
pub(crate) struct WaitForPermit<S: Borrow<Arc<Shared>>> {
    shared: S,
    place: Option<Place>,
}

impl<S: Borrow<Arc<Shared>>> WaitForPermit<S> {
    pub(crate) fn new(shared: S) -> Self {
        Self { shared, place: None }
    }

    /// Whether there is credit; if not, the connection takes no more calls.
    fn poll_line(&mut self, waker: &Waker) -> Poll<bool> {
        let line = &mut self.shared.borrow().lock().line;
        if let Some(place) = self.place {
            let has_credit = ready!(line.poll(place, waker));
            self.place = None;
            return Poll::Ready(has_credit);
        }
        if line.is_closed() || line.take() {
            return Poll::Ready(!line.is_closed());
        }
        self.place = Some(line.join(waker));
        Poll::Pending
    }
}

impl<S: Borrow<Arc<Shared>> + Clone + Unpin> Future for WaitForPermit<S> {
    type Output = Result<Permit<S>, Fault>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let has_credit = ready!(self.poll_line(cx.waker()));
        Poll::Ready(match has_credit {
            true => Ok(Permit::of_taken(self.shared.clone())),
            false => Err(self.shared.borrow().refusal()),
        })
    }
}

impl<S: Borrow<Arc<Shared>>> Drop for WaitForPermit<S> {
    fn drop(&mut self) {
        if let Some(place) = self.place {
            let next = self.shared.borrow().lock().line.leave(place);
            next.into_iter().for_each(Waker::wake);
        }
    }
}
