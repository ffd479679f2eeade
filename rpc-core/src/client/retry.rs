//! The layer that makes a call again where that can do no harm.

use std::fmt;
use std::future::{Future, poll_fn};
use std::iter;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use backon::{BackoffBuilder as _, ExponentialBuilder};
use tokio::runtime::Handle;
use tokio::time::{Instant, sleep};
use tower::{Layer, Service};

use super::layered::{Caller, fault_of_call};
use super::within::within;
use crate::connection::fault_of_layer;
use crate::fault::{Fault, Outcome, Reason};
use crate::message::{Request, Response};

/// How often a call is made again that surely did not run. Each time the connection it was meant for had gone.
const MAX_UNSENT: u32 = 32;

/// A `max_wait` beyond this is as good as none, and adding jitter to it cannot overflow.
const LONGEST_WAIT: Duration = Duration::from_secs(60 * 60 * 24 * 365);

/// Makes a call again when its connection was lost or its server is shutting down, where that can do no harm:
///
/// | the call | is made again |
/// |---|---|
/// | surely did not run | whatever its method |
/// | may have run | if its method is `#[rpc(idempotent)]`, up to `max_attempts` in all |
/// | was too much for a server that said when to come again | as above, after that time and some more at random; unless that is beyond its deadline, or longer than `max_wait` |
///
/// Anything else is told to the caller at once; a server that is overloaded and does not say until when, too, since
/// more calls are the last thing it needs. The fault that is told is that of the last attempt, but it says "may have
/// run" if any of them may have. A call's deadline holds for all its attempts together, and each carries its number.
///
/// A call with a stream among its arguments is made again only as long as nothing has been taken from the stream.
///
/// Clients that reconnect have this layer; over a [`Channel`](super::Channel) it is of use for overloaded servers only.
#[derive(Clone, Debug)]
#[must_use = "a layer does nothing until it is around a service"]
pub struct RetryLayer {
    max_attempts: u8,
    max_wait: Duration,
}

impl Default for RetryLayer {
    fn default() -> Self {
        Self::new()
    }
}

impl RetryLayer {
    pub(super) const MAX_ATTEMPTS: u8 = 4;

    /// At most 4 attempts at what may have run, and at most 10 s for a server that is overloaded.
    pub const fn new() -> Self {
        Self {
            max_attempts: Self::MAX_ATTEMPTS,
            max_wait: Duration::from_secs(10),
        }
    }

    /// How often a call that may have run is sent in all, if its method is idempotent; 0 is as good as 1, which is
    /// never again.
    pub const fn max_attempts(mut self, attempts: u8) -> Self {
        self.max_attempts = attempts;
        self
    }

    /// How long a call waits in all, at its server's bidding, for a server that is overloaded.
    pub const fn max_wait(mut self, limit: Duration) -> Self {
        self.max_wait = limit;
        self
    }
}

impl<S> Layer<S> for RetryLayer {
    type Service = Retry<S>;

    fn layer(&self, inner: S) -> Retry<S> {
        Retry {
            inner,
            limits: self.clone(),
        }
    }
}

/// Makes calls through `S`, and makes them again as [`RetryLayer`] says.
#[derive(Clone, Debug)]
pub struct Retry<S> {
    inner: S,
    limits: RetryLayer,
}

impl<S> Retry<S> {
    /// What the calls are made through.
    pub fn get_ref(&self) -> &S {
        &self.inner
    }
}

impl<S: Caller> Service<Request> for Retry<S> {
    type Response = Response;
    type Error = Fault;
    type Future = RetryFuture;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Fault>> {
        let ready = self.inner.poll_ready(cx);
        ready.map_err(|error| fault_of_layer(error.into(), Outcome::NotSent))
    }

    fn call(&mut self, request: Request) -> RetryFuture {
        let spare = self.inner.clone();
        // The instance that is ready is the one that is called.
        let mut caller = std::mem::replace(&mut self.inner, spare);
        let first = caller.call(request.clone());
        let limits = self.limits.clone();
        RetryFuture(Box::pin(async move {
            let first = first.await.map_err(|error| fault_of_call(error.into()));
            match first {
                Ok(response) => Ok(response),
                Err(fault) => Attempts::new(caller, request, &limits).after(fault).await,
            }
        }))
    }
}

/// Resolves to the response of the last attempt.
///
/// # Cancel safety
/// Dropped before it is ready, it cancels the attempt that is open, and no other is made.
#[must_use = "a call is cancelled when its future is dropped"]
pub struct RetryFuture(Pin<Box<dyn Future<Output = Result<Response, Fault>> + Send>>);

impl Future for RetryFuture {
    type Output = Result<Response, Fault>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        self.0.as_mut().poll(cx)
    }
}

impl fmt::Debug for RetryFuture {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RetryFuture").finish_non_exhaustive()
    }
}

/// What is left to be tried of a call whose first attempt failed.
struct Attempts<S> {
    caller: S,
    request: Request,
    /// How many attempts that may have run are left.
    left: u8,
    /// How many that surely did not run are left.
    unsent_left: u32,
    /// How long it may still wait for a server that is overloaded.
    wait_left: Duration,
    may_have_run: bool,
    pauses: Box<dyn Iterator<Item = Duration> + Send>,
}

impl<S: Caller> Attempts<S> {
    fn new(caller: S, request: Request, limits: &RetryLayer) -> Self {
        Self {
            caller,
            request,
            left: limits.max_attempts.saturating_sub(1),
            unsent_left: MAX_UNSENT,
            wait_left: limits.max_wait.min(LONGEST_WAIT),
            may_have_run: false,
            pauses: Box::new(pauses()),
        }
    }

    /// Goes on until an attempt succeeds, or no other is to be made.
    async fn after(mut self, mut fault: Fault) -> Result<Response, Fault> {
        loop {
            self.may_have_run |= fault.outcome() == Outcome::MayHaveRun;
            let Some(pause) = self.pause_after(&fault) else {
                return Err(self.told(fault));
            };
            if let Err(fault) = self.wait(pause).await {
                return Err(self.told(fault));
            }
            let attempt = self.request.attempt().saturating_add(1);
            tracing::debug!(method = self.request.method().name, attempt, %fault, "trying again");
            self.request = self.request.with_attempt(attempt);
            let called = self.caller.call(self.request.clone()).await;
            fault = match called.map_err(|error| fault_of_call(error.into())) {
                Ok(response) => return Ok(response),
                Err(fault) => fault,
            };
        }
    }

    /// How long to wait before the next attempt; `None` if there is to be none.
    fn pause_after(&mut self, fault: &Fault) -> Option<Duration> {
        // Without a runtime there is no clock to wait by.
        if !self.request.is_replayable() || Handle::try_current().is_err() {
            return None;
        }
        match fault.outcome() {
            Outcome::NotSent | Outcome::Refused => self.unsent_left = self.unsent_left.checked_sub(1)?,
            Outcome::MayHaveRun if self.request.method().idempotent => {
                self.left = self.left.checked_sub(1)?;
            }
            Outcome::MayHaveRun | Outcome::Ran => return None,
        }
        let pause = self.pauses.next()?;
        match fault.reason() {
            Reason::ConnectionLost | Reason::Draining => Some(pause),
            // By its server, which ends: this end's own cancelling leaves nobody to be told.
            Reason::Cancelled => Some(pause),
            Reason::Overloaded {
                retry_after: Some(after),
            } => self.pause_at_its_bidding(after).map(|after| after.max(pause)),
            _ => None,
        }
    }

    /// A crowd that is told the same time must not come back as one.
    fn pause_at_its_bidding(&mut self, after: Duration) -> Option<Duration> {
        if after > self.wait_left {
            return None;
        }
        let mut jittered = ExponentialBuilder::new()
            .with_min_delay(after)
            .with_jitter()
            .build();
        let pause = jittered.next()?.min(self.wait_left);
        self.wait_left -= pause;
        let in_time = |deadline: Instant| deadline.saturating_duration_since(Instant::now()) > pause;
        self.request.deadline().is_none_or(in_time).then_some(pause)
    }

    /// Waits for the pause and for readiness, but not beyond the deadline.
    async fn wait(&mut self, pause: Duration) -> Result<(), Fault> {
        let caller = &mut self.caller;
        let waiting = async {
            if !pause.is_zero() {
                sleep(pause).await;
            }
            poll_fn(|cx| caller.poll_ready(cx)).await
        };
        let ready = match self.request.deadline() {
            Some(deadline) => within(deadline, Outcome::NotSent, waiting).await?,
            None => waiting.await,
        };
        ready.map_err(|error| fault_of_layer(error.into(), Outcome::NotSent))
    }

    /// What the caller is told: of the last attempt, unless an earlier one may have run.
    fn told(&self, fault: Fault) -> Fault {
        if self.may_have_run && fault.outcome().is_safe_to_retry() {
            return fault.with_outcome(Outcome::MayHaveRun);
        }
        fault
    }
}

/// None, and then short ones: a connection that was lost is waited for in the line of the next one, but a caller may see
/// the loss before the line does.
fn pauses() -> impl Iterator<Item = Duration> + Send {
    let growing = ExponentialBuilder::new()
        .with_min_delay(Duration::from_millis(1))
        .with_max_delay(Duration::from_millis(100))
        .without_max_times()
        .with_jitter();
    iter::once(Duration::ZERO).chain(iter::once_with(move || growing.build()).flatten())
}
