//! The client's handle on a connection.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use tokio::sync::{OwnedSemaphorePermit, TryAcquireError};
use tokio_util::sync::PollSemaphore;
use tower::Service;

use crate::connection::{
    Ambient, Config, ConnectError, ConnectionError, Driver, OnewayFuture, ResponseFuture, Shared, connect,
};
use crate::fault::{Fault, Outcome, Reason};
use crate::message::{Request, Response};
use crate::proto::Body;
use crate::transport::{Link, PeerIdentity};

/// A client's handle on a connection: makes calls, and waits in [`poll_ready`](Service::poll_ready) until the server
/// has credit for one more.
///
/// Clones share the connection. It ends, in good order, when the last one is dropped and no call is open.
pub struct Channel {
    handle: Arc<Handle>,
    permit: Option<OwnedSemaphorePermit>,
    line: Option<PollSemaphore>,
}

/// What all clones of a channel hold; the last one to go says farewell.
struct Handle(Arc<Shared>);

impl Drop for Handle {
    fn drop(&mut self) {
        self.0.leave();
    }
}

impl Channel {
    /// Greets the server at the other end of the link and drives the connection in a task of the current runtime.
    ///
    /// # Errors
    /// If the server does not let this client in, or says nothing in time; or if there is no tokio runtime.
    ///
    /// # Cancel safety
    /// Dropping the future closes the link.
    pub async fn open(mut link: Link, config: &Config) -> Result<Self, ConnectError> {
        let runtime = tokio::runtime::Handle::try_current().map_err(|_| ConnectError::NoRuntime)?;
        let handshake = connect(&mut link, config).await?;
        let driver = Driver::new(link, handshake, None);
        let shared = Arc::clone(driver.shared());
        runtime.spawn(driver);
        Ok(Self {
            handle: Arc::new(Handle(shared)),
            permit: None,
            line: None,
        })
    }

    /// Waits until the connection has ended, and says why.
    ///
    /// # Cancel safety
    /// Dropping the future changes nothing.
    pub async fn closed(&self) -> Arc<ConnectionError> {
        let mut ended = self.shared().subscribe();
        loop {
            if let Some(reason) = self.shared().end_reason() {
                return reason;
            }
            // The sender lives in what this channel shares, so waiting does not fail.
            let _ = ended.changed().await;
        }
    }

    /// Asks the other end for a sign of life, and waits for it. It takes no credit and runs no method.
    ///
    /// # Errors
    /// If the connection is lost.
    ///
    /// # Cancel safety
    /// Dropping the future changes nothing.
    pub async fn ping(&self) -> Result<(), Fault> {
        self.shared().ping().await
    }

    /// Closes the connection at once; open calls end with a fault. Idempotent.
    pub fn close(&self) {
        self.shared().end(ConnectionError::Closed);
    }

    /// Who serves, as the operating system told when the pipe was made.
    #[must_use]
    pub fn peer_identity(&self) -> &PeerIdentity {
        &self.shared().peer
    }

    /// Whether the connection takes calls, as far as is known: not once it is lost or the server drains.
    pub(super) fn takes_calls(&self) -> bool {
        self.shared().takes_calls()
    }

    /// Waits until the connection takes no more calls: why, if it has ended. It does not keep the connection.
    pub(super) fn retired(&self) -> impl Future<Output = Option<Arc<ConnectionError>>> + Send + use<> {
        let shared = Arc::clone(self.shared());
        async move {
            let mut ended = shared.subscribe();
            while shared.takes_calls() {
                // The sender lives in what is shared, so waiting does not fail.
                let _ = ended.changed().await;
            }
            shared.end_reason()
        }
    }

    fn shared(&self) -> &Arc<Shared> {
        &self.handle.0
    }
}

impl Clone for Channel {
    /// Another handle, without the credit this one may have reserved.
    fn clone(&self) -> Self {
        Self {
            handle: Arc::clone(&self.handle),
            permit: None,
            line: None,
        }
    }
}

impl Service<Request> for Channel {
    type Response = Response;
    type Error = Fault;
    type Future = CallFuture;

    /// Ready when the server has credit for one more call, or when the connection is lost; what is ready stays
    /// reserved for this handle until it calls or is dropped. A handler's own calls never wait.
    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Fault>> {
        if self.permit.is_some() || Ambient::current().is_some() {
            return Poll::Ready(Ok(()));
        }
        let credit = &self.handle.0.credit;
        let permit = match Arc::clone(credit).try_acquire_owned() {
            Ok(permit) => Some(permit),
            Err(TryAcquireError::Closed) => None,
            Err(TryAcquireError::NoPermits) => {
                let line = self
                    .line
                    .get_or_insert_with(|| PollSemaphore::new(Arc::clone(credit)));
                ready!(line.poll_acquire(cx))
            }
        };
        self.line = None;
        self.permit = Some(permit.ok_or_else(|| self.shared().refusal())?);
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request) -> CallFuture {
        let permit = self.permit.take().filter(|_| request.depth() == 0);
        if permit.is_none() && request.depth() == 0 {
            return CallFuture::not_ready();
        }
        CallFuture(Calling::start(self.shared(), request, permit))
    }
}

impl std::fmt::Debug for Channel {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Channel")
            .field("peer", self.peer_identity())
            .finish_non_exhaustive()
    }
}

/// Resolves to the response of a call; of a oneway call, when the system has the whole request.
///
/// # Cancel safety
/// Dropped before it is ready, it cancels the call at the server, at whatever await that is in.
#[must_use = "a call is cancelled when its future is dropped"]
pub struct CallFuture(Calling);

impl CallFuture {
    /// Of a call that was made without waiting for readiness.
    pub(super) fn not_ready() -> Self {
        let fault = Fault::new(Outcome::NotSent, Reason::Overloaded { retry_after: None });
        Self(Calling::Unsent(Some(
            fault.with_detail("poll_ready was not waited for"),
        )))
    }
}

enum Calling {
    Unary(ResponseFuture),
    Oneway(OnewayFuture),
    Unsent(Option<Fault>),
}

impl Calling {
    fn start(shared: &Arc<Shared>, request: Request, permit: Option<OwnedSemaphorePermit>) -> Self {
        let oneway = request.method().oneway;
        match shared.send(request, permit) {
            Ok(ticket) if oneway => Self::Oneway(OnewayFuture::new(Arc::clone(shared), ticket)),
            Ok(ticket) => Self::Unary(ResponseFuture::new(Arc::clone(shared), ticket)),
            Err(fault) => Self::Unsent(Some(fault)),
        }
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
            Calling::Unary(future) => Pin::new(future).poll(cx),
            Calling::Oneway(future) => Pin::new(future).poll(cx).map_ok(|()| Response::ok(Body::new())),
            Calling::Unsent(fault) => Poll::Ready(Err(fault
                .take()
                .expect("a future is not polled after it is ready"))),
        }
    }
}
