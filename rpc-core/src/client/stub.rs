//! What every generated client is made of.

use std::any::Any;
use std::future::poll_fn;
use std::task::Poll;
use std::time::Duration;

use futures_core::Stream;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::codec::Codec;
use crate::fault::{CallError, Fault, Outcome, Reason};
use crate::message::{Response, ServiceId};
use crate::method::Method;
use crate::proto::{Body, Metadata};
use crate::server::{decode, encode};
use crate::streaming::{Streaming, Upload};

use super::Channel;
use super::layered::{Caller, through_layers};
use super::mismatch::with_ours;
use super::options::CallOptions;

/// Makes typed calls of one service through `S`.
#[derive(Clone, Debug)]
pub struct Stub<S> {
    caller: S,
    options: CallOptions,
}

impl<S> Stub<S> {
    /// Calls the service mounted as `name` through `caller`, in bincode.
    #[must_use]
    pub fn new(caller: S, name: &str) -> Self {
        Self {
            caller,
            options: CallOptions::new(ServiceId::of(name)),
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
        self.options.codec = codec;
        self
    }

    /// The same with metadata beside the arguments of each call, in place of what it had.
    #[must_use]
    pub fn with_metadata(mut self, metadata: Metadata) -> Self {
        self.options.metadata = metadata;
        self
    }

    /// The same with a time limit for each call, in place of the method's own.
    #[must_use]
    pub fn with_timeout(mut self, timeout: Duration) -> Self {
        self.options.timeout = Some(timeout);
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
        let response = self.send(method, self.encode(args)?, upload).await?;
        if response.is_failed() {
            let detail = "the server's method returns a Result, this client's does not";
            return Err(Fault::new(Outcome::Ran, Reason::Decode).with_detail(detail));
        }
        decode(self.options.codec, response.into_body(), Outcome::Ran)
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
        let response = self.send(method, self.encode(args)?, upload).await?;
        if response.is_failed() {
            let error = decode(self.options.codec, response.into_body(), Outcome::Ran)?;
            return Err(CallError::Failed(error));
        }
        Ok(decode(self.options.codec, response.into_body(), Outcome::Ran)?)
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
        let response = self.send(method, self.encode(args)?, upload).await?;
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
        let response = self.send(method, self.encode(args)?, upload).await?;
        if response.is_failed() {
            let error = decode(self.options.codec, response.into_body(), Outcome::Ran)?;
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
        Some(Upload::of(self.options.codec, items))
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
        Some(Upload::of_results(self.options.codec, items))
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
        self.send(method, self.encode(args)?, upload).await.map(drop)
    }

    /// The stream of a response.
    fn streaming<T, E>(&self, response: Response) -> Result<Streaming<T, E>, Fault> {
        let Some(items) = response.into_items() else {
            let detail = "the server's method returns no stream, this client's does";
            return Err(Fault::new(Outcome::Ran, Reason::Decode).with_detail(detail));
        };
        Ok(Streaming::new(items, self.options.codec))
    }

    /// Encodes the arguments, which no future holds from then on.
    #[inline]
    fn encode<A: Serialize + 'static>(&self, args: A) -> Result<Body, Fault> {
        encode(self.options.codec, args, Outcome::NotSent)
    }

    async fn send(
        &self,
        method: &'static Method,
        body: Body,
        upload: Option<Upload>,
    ) -> Result<Response, Fault> {
        let options = &self.options;
        let called = match (&self.caller as &dyn Any).downcast_ref::<Channel>() {
            Some(channel) => {
                let waker = poll_fn(|cx| Poll::Ready(cx.waker().clone())).await;
                channel.begin(options, method, body, upload, waker)?.await
            }
            None => {
                let request = options.request(method, body, upload, options.terms(method)?);
                // In a box: the futures of calls without layers would have room for it too.
                Box::pin(through_layers(self.caller.clone(), request)).await
            }
        };
        called.map_err(|fault| with_ours(fault, method))
    }
}
