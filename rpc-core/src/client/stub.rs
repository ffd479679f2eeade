//! What every generated client is made of.

use std::any::TypeId;
use std::error::Error;
use std::future::{Future, poll_fn};
use std::task::Poll;
use std::time::Duration;

use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::time::{Instant, timeout_at};
use tower::Service;

use crate::codec::Codec;
use crate::connection::{Ambient, fault_of_layer};
use crate::fault::{CallError, Fault, Outcome, Reason};
use crate::message::{Request, Response, ServiceId};
use crate::method::Method;
use crate::schema;
use crate::server::{MAX_DEPTH, decode, encode};

use super::Channel;

/// The error of tower layers.
pub type BoxError = Box<dyn Error + Send + Sync>;

/// What a client can make its calls through: a channel, or any stack of tower layers over one.
pub trait Caller:
    Service<Request, Response = Response, Error: Into<BoxError>, Future: Send> + Clone + Send + Sync + 'static
{
}

impl<S> Caller for S where
    S: Service<Request, Response = Response, Error: Into<BoxError>, Future: Send>
        + Clone
        + Send
        + Sync
        + 'static
{
}

/// Makes typed calls of one service through `S`.
#[derive(Clone, Debug)]
pub struct Stub<S> {
    caller: S,
    service: ServiceId,
    timeout: Option<Duration>,
}

impl<S> Stub<S> {
    /// Calls the service mounted as `name` through `caller`.
    #[must_use]
    pub fn new(caller: S, name: &str) -> Self {
        Self {
            caller,
            service: ServiceId::of(name),
            timeout: None,
        }
    }

    /// The same with a time limit for each call, in place of the method's own.
    #[must_use]
    pub fn with_timeout(mut self, timeout: Duration) -> Self {
        self.timeout = Some(timeout);
        self
    }
}

impl<S: Caller> Stub<S> {
    /// Calls a method that returns a plain value. `args` is the argument itself if there is one, else a tuple.
    ///
    /// # Errors
    /// The fault that kept the result from arriving.
    ///
    /// # Cancel safety
    /// Dropping the future cancels the call at the server, at whatever await it is in.
    pub async fn call<A, T>(&self, method: &'static Method, args: A) -> Result<T, Fault>
    where
        A: Serialize + Send + 'static,
        T: DeserializeOwned + 'static,
    {
        let response = self.send(method, args).await?;
        if response.is_failed() {
            let detail = "the server's method returns a Result, this client's does not";
            return Err(Fault::new(Outcome::Ran, Reason::Decode).with_detail(detail));
        }
        decode(Codec::Bincode, response.into_body(), Outcome::Ran)
    }

    /// Calls a method that returns a `Result`.
    ///
    /// # Errors
    /// The method's own error, or the fault that kept its result from arriving.
    ///
    /// # Cancel safety
    /// As for [`call`](Self::call).
    pub async fn call_fallible<A, T, E>(&self, method: &'static Method, args: A) -> Result<T, CallError<E>>
    where
        A: Serialize + Send + 'static,
        T: DeserializeOwned + 'static,
        E: DeserializeOwned + 'static,
    {
        let response = self.send(method, args).await?;
        if response.is_failed() {
            let error = decode(Codec::Bincode, response.into_body(), Outcome::Ran)?;
            return Err(CallError::Failed(error));
        }
        Ok(decode(Codec::Bincode, response.into_body(), Outcome::Ran)?)
    }

    /// Calls a method whose result nobody waits for: resolves when the system has the whole request.
    ///
    /// # Errors
    /// The fault that kept it from being sent.
    ///
    /// # Cancel safety
    /// Dropped before it is ready, the call may or may not have been sent.
    pub async fn oneway<A>(&self, method: &'static Method, args: A) -> Result<(), Fault>
    where
        A: Serialize + Send + 'static,
    {
        self.send(method, args).await.map(drop)
    }

    async fn send<A>(&self, method: &'static Method, args: A) -> Result<Response, Fault>
    where
        A: Serialize + Send + 'static,
    {
        let request = self.request(method, args)?;
        let deadline = request.deadline();
        let mut caller = self.caller.clone();
        let ready = poll_fn(|cx| caller.poll_ready(cx));
        let ready = within(deadline, Outcome::NotSent, ready).await?;
        ready.map_err(|error| fault_of_layer(error.into(), Outcome::NotSent))?;
        let calling = caller.call(request);
        // A channel sees to the deadline itself, with one timer for all calls of its connection.
        let sees_to_it = TypeId::of::<S>() == TypeId::of::<Channel>();
        let deadline = deadline.filter(|_| !sees_to_it);
        let called = within(deadline, Outcome::MayHaveRun, calling).await?;
        called.map_err(|error| with_ours(fault_of_call(error.into()), method))
    }

    fn request<A: Serialize + 'static>(&self, method: &'static Method, args: A) -> Result<Request, Fault> {
        let ambient = Ambient::current();
        let depth = ambient.map_or(0, |ambient| ambient.depth.saturating_add(1));
        if depth > MAX_DEPTH {
            let text = format!("the limit is {MAX_DEPTH}");
            return Err(Fault::new(Outcome::NotSent, Reason::TooDeep).with_detail(text));
        }
        let own = self
            .timeout
            .or(method.timeout)
            .and_then(|limit| Instant::now().checked_add(limit));
        let inherited = ambient.and_then(|ambient| ambient.deadline);
        let deadline = [own, inherited].into_iter().flatten().min();
        let body = encode(Codec::Bincode, &args, Outcome::NotSent)?;
        Ok(Request::new(method, self.service, Codec::Bincode, body)
            .with_deadline(deadline)
            .with_depth(depth))
    }
}

/// What an error of a call through layers means. A layer that sheds load does not pass the call on.
fn fault_of_call(error: BoxError) -> Fault {
    let is_shed = error.is::<tower::load_shed::error::Overloaded>();
    let outcome = if is_shed {
        Outcome::NotSent
    } else {
        Outcome::MayHaveRun
    };
    fault_of_layer(error, outcome)
}

/// What the server says of a method that differs there, with what it is here.
fn with_ours(fault: Fault, method: &Method) -> Fault {
    if !matches!(fault.reason(), Reason::UnknownMethod | Reason::SignatureMismatch) {
        return fault;
    }
    let theirs = fault.detail().unwrap_or_default();
    let (name, ours) = (method.name, method.text());
    let mut text = format!("{theirs}; this client has {name}{ours}");
    let their_text = theirs
        .strip_prefix("the server has ")
        .and_then(|text| text.strip_prefix(name));
    if let Some(difference) = their_text.and_then(|theirs| schema::explain(name, theirs, ours)) {
        text.push_str("; what differs: ");
        text.push_str(&difference);
    }
    fault.with_detail(text)
}

/// Waits for `future` until the deadline. A timer is made only if the future is not ready at once.
async fn within<F: Future>(
    deadline: Option<Instant>,
    outcome: Outcome,
    future: F,
) -> Result<F::Output, Fault> {
    let Some(deadline) = deadline else {
        return Ok(future.await);
    };
    let mut future = std::pin::pin!(future);
    if let Poll::Ready(output) = poll_fn(|cx| Poll::Ready(future.as_mut().poll(cx))).await {
        return Ok(output);
    }
    if tokio::runtime::Handle::try_current().is_err() {
        return Err(Fault::new(outcome, Reason::NoRuntime));
    }
    timeout_at(deadline, future)
        .await
        .map_err(|_| Fault::new(outcome, Reason::DeadlineExceeded))
}
