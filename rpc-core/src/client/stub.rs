//! What every generated client is made of.

use std::any::{Any, TypeId};
use std::error::Error;
use std::future::{Future, poll_fn};
use std::task::Poll;
use std::time::Duration;

use futures_core::Stream;
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::time::{Instant, timeout_at};
use tower::Service;

use crate::codec::Codec;
use crate::connection::{Ambient, fault_of_layer};
use crate::fault::{CallError, Fault, Outcome, Reason};
use crate::message::{Request, Response, ServiceId};
use crate::method::Method;
use crate::proto::{Body, Metadata};
use crate::schema;
use crate::server::{MAX_DEPTH, decode, encode};
use crate::streaming::{Streaming, Upload};

use super::{Channel, Reconnecting};

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
    codec: Codec,
    timeout: Option<Duration>,
    metadata: Metadata,
}

impl<S> Stub<S> {
    /// Calls the service mounted as `name` through `caller`, in bincode.
    #[must_use]
    pub fn new(caller: S, name: &str) -> Self {
        Self {
            caller,
            service: ServiceId::of(name),
            codec: Codec::default(),
            timeout: None,
            metadata: Metadata::new(),
        }
    }

    /// What it calls through.
    #[must_use]
    pub fn caller(&self) -> &S {
        &self.caller
    }

    /// The same in another codec; it must be the connection's, [`Channel::codec`].
    #[must_use]
    pub fn with_codec(mut self, codec: Codec) -> Self {
        self.codec = codec;
        self
    }

    /// The same with metadata beside the arguments of each call, in place of what it had.
    #[must_use]
    pub fn with_metadata(mut self, metadata: Metadata) -> Self {
        self.metadata = metadata;
        self
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
    pub async fn call<A, T>(
        &self,
        method: &'static Method,
        args: A,
        upload: Option<Upload>,
    ) -> Result<T, Fault>
    where
        A: Serialize + Send + 'static,
        T: DeserializeOwned + 'static,
    {
        let response = self.send(method, args, upload).await?;
        if response.is_failed() {
            let detail = "the server's method returns a Result, this client's does not";
            return Err(Fault::new(Outcome::Ran, Reason::Decode).with_detail(detail));
        }
        decode(self.codec, response.into_body(), Outcome::Ran)
    }

    /// Calls a method that returns a `Result`.
    ///
    /// # Errors
    /// The method's own error, or the fault that kept its result from arriving.
    ///
    /// # Cancel safety
    /// As for [`call`](Self::call).
    pub async fn call_fallible<A, T, E>(
        &self,
        method: &'static Method,
        args: A,
        upload: Option<Upload>,
    ) -> Result<T, CallError<E>>
    where
        A: Serialize + Send + 'static,
        T: DeserializeOwned + 'static,
        E: DeserializeOwned + 'static,
    {
        let response = self.send(method, args, upload).await?;
        if response.is_failed() {
            let error = decode(self.codec, response.into_body(), Outcome::Ran)?;
            return Err(CallError::Failed(error));
        }
        Ok(decode(self.codec, response.into_body(), Outcome::Ran)?)
    }

    /// Calls a method that returns a stream: resolves when that is open.
    ///
    /// # Errors
    /// The fault that kept the stream from being opened.
    ///
    /// # Cancel safety
    /// As for [`call`](Self::call).
    pub async fn stream<A, T, I>(
        &self,
        method: &'static Method,
        args: A,
        upload: Option<Upload>,
    ) -> Result<Streaming<T, I>, Fault>
    where
        A: Serialize + Send + 'static,
    {
        let response = self.send(method, args, upload).await?;
        self.streaming(response)
    }

    /// Calls a method that returns a `Result` of a stream: resolves when that is open.
    ///
    /// # Errors
    /// The method's own error, or the fault that kept the stream from being opened.
    ///
    /// # Cancel safety
    /// As for [`call`](Self::call).
    pub async fn stream_fallible<A, T, I, E>(
        &self,
        method: &'static Method,
        args: A,
        upload: Option<Upload>,
    ) -> Result<Streaming<T, I>, CallError<E>>
    where
        A: Serialize + Send + 'static,
        E: DeserializeOwned + 'static,
    {
        let response = self.send(method, args, upload).await?;
        if response.is_failed() {
            let error = decode(self.codec, response.into_body(), Outcome::Ran)?;
            return Err(CallError::Failed(error));
        }
        Ok(self.streaming(response)?)
    }

    /// The items that go with a request.
    #[allow(clippy::unnecessary_wraps, reason = "it is the argument of the calls")]
    pub fn upload<T>(&self, items: impl Stream<Item = T> + Send + 'static) -> Option<Upload>
    where
        T: Serialize + 'static,
    {
        Some(Upload::of(self.codec, items))
    }

    /// The items that go with a request, up to the first error.
    #[allow(clippy::unnecessary_wraps, reason = "it is the argument of the calls")]
    pub fn upload_results<T, E>(
        &self,
        items: impl Stream<Item = Result<T, E>> + Send + 'static,
    ) -> Option<Upload>
    where
        T: Serialize + 'static,
        E: Serialize + 'static,
    {
        Some(Upload::of_results(self.codec, items))
    }

    /// Calls a method whose result nobody waits for: resolves when the system has the whole request.
    ///
    /// # Errors
    /// The fault that kept it from being sent.
    ///
    /// # Cancel safety
    /// Dropped before it is ready, the call may or may not have been sent.
    pub async fn oneway<A>(
        &self,
        method: &'static Method,
        args: A,
        upload: Option<Upload>,
    ) -> Result<(), Fault>
    where
        A: Serialize + Send + 'static,
    {
        self.send(method, args, upload).await.map(drop)
    }

    /// The stream of a response.
    fn streaming<T, E>(&self, response: Response) -> Result<Streaming<T, E>, Fault> {
        let Some(items) = response.into_items() else {
            let detail = "the server's method returns no stream, this client's does";
            return Err(Fault::new(Outcome::Ran, Reason::Decode).with_detail(detail));
        };
        Ok(Streaming::new(items, self.codec))
    }

    /// Encodes the arguments at once, so that the future has a body to hold in place of them.
    fn send<A: Serialize + 'static>(
        &self,
        method: &'static Method,
        args: A,
        upload: Option<Upload>,
    ) -> impl Future<Output = Result<Response, Fault>> + Send + use<'_, S, A> {
        let body = encode(self.codec, args, Outcome::NotSent);
        async move {
            let (body, terms) = (body?, self.terms(method)?);
            let called = match (&self.caller as &dyn Any).downcast_ref::<Channel>() {
                Some(channel) => {
                    let credit = channel.credit(terms.depth, terms.deadline).await?;
                    credit.send(self.request(method, body, upload, terms))?.await
                }
                None => {
                    let request = self.request(method, body, upload, terms);
                    // In a box: the futures of calls without layers would have room for it too.
                    Box::pin(through_layers(self.caller.clone(), request)).await
                }
            };
            called.map_err(|fault| with_ours(fault, method))
        }
    }

    /// The terms of a call that is made now.
    fn terms(&self, method: &Method) -> Result<Terms, Fault> {
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
        Ok(Terms { depth, deadline })
    }

    fn request(&self, method: &'static Method, body: Body, upload: Option<Upload>, terms: Terms) -> Request {
        Request::new(method, self.service, self.codec, body)
            .with_upload(upload)
            .with_deadline(terms.deadline)
            .with_depth(terms.depth)
            .with_metadata(self.metadata.clone())
    }
}

/// What a call inherits, and until when it is waited for.
#[derive(Clone, Copy)]
struct Terms {
    depth: u8,
    deadline: Option<Instant>,
}

async fn through_layers<S: Caller>(mut caller: S, request: Request) -> Result<Response, Fault> {
    let deadline = request.deadline();
    let ready = poll_fn(|cx| caller.poll_ready(cx));
    let ready = match deadline {
        Some(deadline) => within(deadline, Outcome::NotSent, ready).await?,
        None => ready.await,
    };
    ready.map_err(|error| fault_of_layer(error.into(), Outcome::NotSent))?;
    let calling = caller.call(request);
    let called = match deadline.filter(|_| !sees_to_deadlines::<S>()) {
        Some(deadline) => within(deadline, Outcome::MayHaveRun, calling).await?,
        None => calling.await,
    };
    called.map_err(|error| fault_of_call(error.into()))
}

/// Whether `S` ends calls at their deadlines itself: its channel does, with one timer for all calls of a connection.
fn sees_to_deadlines<S: 'static>() -> bool {
    TypeId::of::<S>() == TypeId::of::<Reconnecting>()
}

/// What an error of a call through layers means. A layer that sheds load does not pass the call on.
pub(super) fn fault_of_call(error: BoxError) -> Fault {
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

/// Waits for `future` until the deadline. A timer is made only if the future is not ready at once. Without a deadline this
/// is not for: to move a future in here, and its result out again, costs a call more than to take its credit.
pub(super) async fn within<F: Future>(
    deadline: Instant,
    outcome: Outcome,
    future: F,
) -> Result<F::Output, Fault> {
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
