//! A call through a channel, from when it is made until its result is there.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use crate::connection::{Permit, Sent, Shared};
use crate::fault::{Fault, Outcome, Reason};
use crate::message::{Request, Response};

/// Resolves to the response of a call; of a oneway call, when the system has the whole request.
///
/// # Cancel safety
/// Dropped before it is ready, it cancels the call at the server, at whatever await that is in.
#[must_use = "a call is cancelled when its future is dropped"]
pub struct CallFuture(Calling);

enum Calling {
    Sent(Sent<Arc<Shared>>),
    Unsent(Option<Fault>),
}

impl CallFuture {
    /// Sends the request. The permit is for a call of depth 0.
    pub(super) fn start(
        shared: &Arc<Shared>,
        mut request: Request,
        permit: Option<Permit<Arc<Shared>>>,
    ) -> Self {
        match shared.send(request.sending()) {
            Ok(ticket) => {
                permit.into_iter().for_each(Permit::spend);
                let shared = Arc::clone(shared);
                Self(Calling::Sent(Sent::new(shared, ticket, request.method().oneway)))
            }
            Err(fault) => Self::unsent(fault),
        }
    }

    /// Of a call that cannot be made.
    pub(super) fn unsent(fault: Fault) -> Self {
        Self(Calling::Unsent(Some(fault)))
    }

    /// Of a call that was made without waiting for readiness.
    pub(super) fn not_ready() -> Self {
        let fault = Fault::new(Outcome::NotSent, Reason::Overloaded { retry_after: None });
        Self::unsent(fault.with_detail("poll_ready was not waited for"))
    }
}

impl std::fmt::Debug for CallFuture {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("CallFuture").finish_non_exhaustive()
    }
}

impl Future for CallFuture {
    type Output = Result<Response, Fault>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        match &mut self.0 {
            Calling::Sent(sent) => Pin::new(sent).poll(cx),
            Calling::Unsent(fault) => Poll::Ready(Err(fault
                .take()
                .expect("a future is not polled after it is ready"))),
        }
    }
}
