//! What every generated client is made of.

use std::error::Error;
use std::time::Duration;

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::fault::{CallError, Fault};
use crate::message::{Request, Response, ServiceId};
use crate::method::Method;

/// The error of tower layers.
pub type BoxError = Box<dyn Error + Send + Sync>;

/// What a client can make its calls through: a channel, or any stack of tower layers over one.
pub trait Caller: Clone + Send + Sync + 'static + sealed::Sealed {}

mod sealed {
    pub trait Sealed {}
}

impl<S> sealed::Sealed for S {}

impl<S> Caller for S
where
    S: tower::Service<Request, Response = Response> + Clone + Send + Sync + 'static,
    S::Error: Into<BoxError>,
    S::Future: Send,
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
        let _ = (method, args, &self.caller, self.service, self.timeout);
        std::future::pending().await
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
        let _ = (method, args);
        std::future::pending().await
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
        let _ = (method, args);
        std::future::pending().await
    }
}
