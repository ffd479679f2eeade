//! The service that calls through the connection of now.

use std::future::Future;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use futures_util::FutureExt as _;
use tokio::runtime;
use tokio::time::{Instant, timeout};
use tokio_util::sync::{CancellationToken, ReusableBoxFuture};
use tower::Service;

use super::error::{AttemptError, ReconnectError};
use super::keeper::Keeper;
use super::policy::ReconnectPolicy;
use super::state::{ConnectionStates, Shared};
use crate::client::{CallFuture, Channel};
use crate::connection::ConnectionError;
use crate::fault::Fault;
use crate::message::{Request, Response};

/// Calls through a connection that is made anew when it is lost; see [`ReconnectPolicy`].
///
/// While there is none, [`poll_ready`](Service::poll_ready) waits, at most as long as the policy says. A call that is
/// open when its connection is lost fails; [`Reconnecting`](super::Reconnecting) tries it again where that is safe.
///
/// Clones share the connection. It ends, in good order, when the last one is dropped and no call is open.
#[derive(Debug)]
pub struct Reconnect {
    handle: Arc<Handle>,
    /// That of the next call: in its line for credit, or ready.
    channel: Option<Channel>,
    waiting: Option<Waiting>,
    /// How long the next call has waited for connections, apart from `waiting`.
    waited: Duration,
}

/// A connection that is waited for: what came of it, and how long that took.
type Waiting = ReusableBoxFuture<'static, (Result<Channel, ReconnectError>, Duration)>;

/// What all clones hold.
struct Handle {
    shared: Arc<Shared>,
    max_wait: Duration,
    stop: CancellationToken,
    /// Until the first call.
    keeper: Mutex<Option<Keeper>>,
}

impl Reconnect {
    /// Calls through what `connect` makes, which is called once for each attempt. Nothing is connected before the first
    /// call, or [`connected`](Self::connected), which must be in a tokio runtime; it drives the connections.
    pub fn new<C, F>(connect: C, policy: ReconnectPolicy) -> Self
    where
        C: Fn() -> F + Send + Sync + 'static,
        F: Future<Output = Result<Channel, AttemptError>> + Send + 'static,
    {
        let shared = Arc::<Shared>::default();
        let stop = CancellationToken::new();
        let max_wait = policy.max_wait;
        let keeper = Keeper {
            connect: Box::new(move || connect().boxed()),
            policy,
            shared: Arc::clone(&shared),
            stop: stop.clone(),
        };
        let keeper = Mutex::new(Some(keeper));
        Self::with(Arc::new(Handle {
            shared,
            max_wait,
            stop,
            keeper,
        }))
    }

    fn with(handle: Arc<Handle>) -> Self {
        Self {
            handle,
            channel: None,
            waiting: None,
            waited: Duration::ZERO,
        }
    }

    /// Waits until there is a connection, at most for the policy's `max_wait`.
    ///
    /// # Errors
    /// If there is none within that time, or there will be none any more.
    ///
    /// # Cancel safety
    /// Dropping the future changes nothing; connecting goes on.
    pub async fn connected(&self) -> Result<(), ReconnectError> {
        self.handle.start()?;
        let next = next_channel(
            Arc::clone(&self.handle.shared),
            self.handle.max_wait,
            Duration::ZERO,
        );
        next.await.0.map(drop)
    }

    /// Watches the state of the connection.
    #[must_use]
    pub fn states(&self) -> ConnectionStates {
        self.handle.shared.states()
    }

    /// Closes the connection at once and makes no other; open calls end with a fault. Idempotent.
    pub fn close(&self) {
        let channel = self.handle.shared.close();
        self.handle.stop.cancel();
        channel.iter().for_each(Channel::close);
    }

    /// Closes the connection in good order, as [`Channel::shutdown`] does, and makes no other.
    ///
    /// # Errors
    /// As there. Without a connection, and if the client was closed before, there is nothing to wait for.
    ///
    /// # Cancel safety
    /// Dropped after it was first polled, the shutdown goes on.
    pub async fn shutdown(&self, limit: Duration) -> Result<(), Arc<ConnectionError>> {
        let channel = self.handle.shared.close();
        self.handle.stop.cancel();
        match channel {
            Some(channel) => channel.shutdown(limit).await,
            None => Ok(()),
        }
    }

    /// Ready with a channel that takes calls, or none if the client waits in vain.
    fn poll_channel(&mut self, cx: &mut Context<'_>) -> Poll<Result<Channel, ReconnectError>> {
        if self.waiting.is_none() {
            if let Some(channel) = self.handle.shared.channel()? {
                return Poll::Ready(Ok(channel));
            }
            self.handle.start()?;
            let shared = Arc::clone(&self.handle.shared);
            let next = next_channel(shared, self.handle.max_wait, self.waited);
            self.waiting = Some(ReusableBoxFuture::new(next));
        }
        let Some(waiting) = &mut self.waiting else {
            return Poll::Pending;
        };
        let (channel, waited) = ready!(waiting.poll(cx));
        self.waiting = None;
        self.waited += waited;
        Poll::Ready(channel)
    }

    fn poll_credit(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), ReconnectError>> {
        loop {
            // A connection that is lost while a caller is in its line sends the caller to the next connection.
            if let Some(channel) = &mut self.channel
                && channel.takes_calls()
                && ready!(channel.poll_ready(cx)).is_ok()
            {
                return Poll::Ready(Ok(()));
            }
            self.channel = None;
            self.channel = Some(ready!(self.poll_channel(cx))?);
        }
    }
}

/// Waits for a channel that takes calls, but not for longer than `max_wait` in all.
async fn next_channel(
    shared: Arc<Shared>,
    max_wait: Duration,
    waited: Duration,
) -> (Result<Channel, ReconnectError>, Duration) {
    let since = Instant::now();
    let next = timeout(max_wait.saturating_sub(waited), shared.next_channel()).await;
    let next = next.unwrap_or_else(|_| {
        Err(ReconnectError::TimedOut {
            after: max_wait,
            cause: shared.last_error(),
        })
    });
    (next, since.elapsed())
}

impl Handle {
    /// Begins to connect, unless that was done.
    fn start(&self) -> Result<(), ReconnectError> {
        let runtime = runtime::Handle::try_current().map_err(|_| ReconnectError::NoRuntime)?;
        let keeper = self.keeper.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(keeper) = keeper {
            runtime.spawn(keeper.run());
        }
        Ok(())
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        // The channel goes with the last of what calls through it.
        self.shared.close();
        self.stop.cancel();
    }
}

impl Clone for Reconnect {
    /// Another one with the same connection, without the credit this one may have reserved.
    fn clone(&self) -> Self {
        Self::with(Arc::clone(&self.handle))
    }
}

impl Service<Request> for Reconnect {
    type Response = Response;
    type Error = Fault;
    type Future = CallFuture;

    /// Ready when there is a connection with credit for one more call; an error, "not sent", when there was none for as
    /// long as the policy allows, or there will be none any more.
    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Fault>> {
        let polled = ready!(self.poll_credit(cx));
        self.waited = Duration::ZERO;
        Poll::Ready(polled.map_err(ReconnectError::fault))
    }

    fn call(&mut self, request: Request) -> CallFuture {
        match self.channel.take() {
            Some(mut channel) => channel.call(request),
            None => CallFuture::not_ready(),
        }
    }
}

impl std::fmt::Debug for Handle {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Handle")
            .field("shared", &self.shared)
            .finish_non_exhaustive()
    }
}
