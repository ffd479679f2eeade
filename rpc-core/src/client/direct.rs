//! Calls through a channel without layers: what `poll_ready` and `call` of a clone would do, on the channel itself.
//!
//! A clone for each call, a permit that is taken before it and a second look for the result are nine atomic operations more,
//! and make the future of every call larger: a twentieth of the time of a call among many.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use super::Channel;
use super::channel::check_codec;
use super::options::CallOptions;
use super::within::within;
use crate::connection::{Sending, Sent, Shared, WaitForPermit};
use crate::fault::{Fault, Outcome};
use crate::message::{Request, Response};
use crate::method::Method;
use crate::proto::Body;
use crate::streaming::Upload;

/// A call that was begun. Dropped before it is ready, it is cancelled.
pub(super) enum Direct<'a> {
    Sent(Sent<&'a Arc<Shared>>),
    /// Waits for credit first. In a box: few calls do, and the futures of all would have room for it.
    InLine(Pin<Box<dyn Future<Output = Result<Response, Fault>> + Send + 'a>>),
}

impl Channel {
    /// Sends a request if there is credit for it; else the call waits in line. `waker` is that of the task that polls the
    /// call next, and at once.
    pub(super) fn begin(
        &self,
        options: &CallOptions,
        method: &'static Method,
        mut body: Body,
        upload: Option<Upload>,
        waker: Waker,
    ) -> Result<Direct<'_>, Fault> {
        let shared = self.shared();
        check_codec(options.codec, shared.codec)?;
        let terms = options.terms(method)?;
        let mut metadata = options.metadata.clone();
        let sending = Sending {
            method,
            service: options.service,
            depth: terms.depth,
            attempt: 0,
            deadline: terms.deadline,
            upload: upload.as_ref(),
            metadata: &mut metadata,
            body: &mut body,
        };
        Ok(match shared.try_send(sending, waker)? {
            Some(ticket) => Direct::Sent(Sent::waiting(shared, ticket, method.oneway)),
            None => {
                let request = options.request(method, body, upload, terms);
                Direct::InLine(Box::pin(in_line(shared, request)))
            }
        })
    }
}

impl Future for Direct<'_> {
    type Output = Result<Response, Fault>;

    #[inline]
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        match &mut *self {
            Self::Sent(sent) => Pin::new(sent).poll(cx),
            Self::InLine(waiting) => waiting.as_mut().poll(cx),
        }
    }
}

/// Waits for credit, but not past the deadline, and sends the request then.
async fn in_line(shared: &Arc<Shared>, mut request: Request) -> Result<Response, Fault> {
    let permit = WaitForPermit::new(shared);
    let permit = match request.deadline() {
        Some(deadline) => within(deadline, Outcome::NotSent, permit).await?,
        None => permit.await,
    }?;
    let ticket = shared.send(request.sending())?;
    permit.spend();
    Sent::new(shared, ticket, request.method().oneway).await
}
