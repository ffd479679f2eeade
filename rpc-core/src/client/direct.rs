//! Calls through a channel without layers: what `poll_ready` and `call` of a clone would do, on the channel itself.
//!
//! A clone for each call, a permit that counts the owners of its semaphore and a second look for the result are nine atomic
//! operations more, and make the future of every call larger: a twentieth of the time of a call among many.

use std::future::poll_fn;
use std::sync::Arc;
use std::task::{Poll, Waker};

use tokio::sync::SemaphorePermit;
use tokio::time::Instant;

use super::Channel;
use super::channel::check_codec;
use super::within::within;
use crate::connection::{OnewayFuture, ResponseFuture, Sent, Shared};
use crate::fault::{Fault, Outcome};
use crate::message::Request;

/// Credit for one call of a task. Dropped, it is there for another.
pub(super) struct Granted<'a> {
    shared: &'a Arc<Shared>,
    /// None for a nested call, which takes the credit for nested calls.
    permit: Option<SemaphorePermit<'a>>,
    waker: Waker,
}

impl Channel {
    /// Waits until the server has credit for a call of that depth, but not past the deadline.
    pub(super) async fn credit(&self, depth: u8, deadline: Option<Instant>) -> Result<Granted<'_>, Fault> {
        let shared = self.shared();
        let permit = match shared.try_permit(depth) {
            Some(permit) => permit,
            // In a box: few calls wait here, and the futures of all would have room for it.
            None => Some(Box::pin(in_line(shared, deadline)).await?),
        };
        let waker = poll_fn(|cx| Poll::Ready(cx.waker().clone())).await;
        Ok(Granted {
            shared,
            permit,
            waker,
        })
    }
}

impl Shared {
    /// What a call of that depth needs, if it is to be had at once.
    #[inline]
    fn try_permit(&self, depth: u8) -> Option<Option<SemaphorePermit<'_>>> {
        match depth {
            0 => self.credit.try_acquire().ok().map(Some),
            _ => Some(None),
        }
    }
}

/// Waits for a permit, first come, first served.
async fn in_line(shared: &Shared, deadline: Option<Instant>) -> Result<SemaphorePermit<'_>, Fault> {
    let line = shared.credit.acquire();
    let permit = match deadline {
        Some(deadline) => within(deadline, Outcome::NotSent, line).await?,
        None => line.await,
    };
    // Closed: the connection takes no more calls.
    permit.map_err(|_| shared.refusal())
}

impl<'a> Granted<'a> {
    /// Sends the request. The task that got the credit waits for what comes of it.
    pub(super) fn send(self, request: Request) -> Result<Sent<&'a Arc<Shared>>, Fault> {
        let shared = self.shared;
        check_codec(request.codec(), shared.codec)?;
        let oneway = request.method().oneway;
        let ticket = shared.send(request, Some(self.waker))?;
        self.permit.into_iter().for_each(SemaphorePermit::forget);
        Ok(if oneway {
            Sent::Oneway(OnewayFuture::new(shared, ticket))
        } else {
            Sent::Unary(ResponseFuture::waiting(shared, ticket))
        })
    }
}
