//! The tower service that [`Authorize`] makes of another.

use std::future::{Ready, ready};
use std::task::{Context, Poll};

use futures_util::TryFutureExt;
use futures_util::future::{Either, MapErr};
use tower::{Layer, Service};

use crate::client::BoxError;
use crate::message::Request;

use super::Authorize;

/// A service behind the rules of [`Authorize`].
#[derive(Clone, Debug)]
pub struct Authorized<S> {
    inner: S,
    rules: Authorize,
}

impl<S> Layer<S> for Authorize {
    type Service = Authorized<S>;

    fn layer(&self, inner: S) -> Authorized<S> {
        Authorized {
            inner,
            rules: self.clone(),
        }
    }
}

impl<S> Service<Request> for Authorized<S>
where
    S: Service<Request> + Clone,
    S::Error: Into<BoxError>,
{
    type Response = S::Response;
    type Error = BoxError;
    type Future = Either<MapErr<S::Future, fn(S::Error) -> BoxError>, Ready<Result<S::Response, BoxError>>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.inner.poll_ready(cx).map_err(Into::into)
    }

    fn call(&mut self, request: Request) -> Self::Future {
        match self.rules.refusal(&request) {
            None => Either::Left(self.inner.call(request).map_err(Into::into)),
            Some(fault) => {
                // The place that was reserved for the call goes back now: an idle connection would keep it.
                self.inner = self.inner.clone();
                Either::Right(ready(Err(fault.into())))
            }
        }
    }
}
