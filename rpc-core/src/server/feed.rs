//! A method that returns a stream: one boxed future runs the handler and then its stream, which may borrow from it.

use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context as TaskContext, Poll};

use futures_core::Stream;
use serde::Serialize;

use crate::fault::{Fault, Outcome};
use crate::message::{Request, Response};
use crate::proto::Body;
use crate::streaming::{ItemError, Items, encode_result};

use super::{Context, Reply, encode};

/// Where a method that returns a stream puts its items, one at a time: the next is made when this one was taken.
pub struct Feed(Arc<Mutex<Place>>);

/// What is between the future that feeds and whoever polls it.
#[derive(Default)]
struct Place {
    opened: bool,
    item: Option<Result<Body, ItemError>>,
}

/// The reply of a method that returns a stream: `run` accepts the request, runs the method and feeds its stream.
pub fn reply_with_stream<F>(request: Request, run: impl FnOnce(Request, Feed) -> F) -> Reply
where
    F: Future<Output = Result<Response, Fault>> + Send + 'static,
{
    let place = Arc::new(Mutex::new(Place::default()));
    let running = Box::pin(run(request, Feed(Arc::clone(&place))));
    Box::pin(Opening(Some(Fed { running, place })))
}

impl Feed {
    /// Feeds the values of `stream`.
    ///
    /// # Errors
    /// If a value cannot be encoded.
    pub async fn values<T>(self, cx: &Context, stream: impl Stream<Item = T>) -> Result<Response, Fault>
    where
        T: Serialize + 'static,
    {
        let encoded = |value| encode(cx.codec(), value, Outcome::Ran).map_err(ItemError::Fault);
        self.all(stream, encoded).await
    }

    /// Feeds the values of `stream`, up to its first error.
    ///
    /// # Errors
    /// If a value or the error cannot be encoded.
    pub async fn results<T, E>(
        self,
        cx: &Context,
        stream: impl Stream<Item = Result<T, E>>,
    ) -> Result<Response, Fault>
    where
        T: Serialize + 'static,
        E: Serialize + 'static,
    {
        self.all(stream, |item| encode_result(cx.codec(), item)).await
    }

    async fn all<S: Stream>(
        self,
        stream: S,
        encoded: impl Fn(S::Item) -> Result<Body, ItemError>,
    ) -> Result<Response, Fault> {
        self.lock().opened = true;
        // Whoever polls sees it open now, and polls on as the response's items.
        yield_once().await;
        let mut stream = pin!(stream);
        while let Some(item) = poll_fn(|cx| stream.as_mut().poll_next(cx)).await {
            let item = encoded(item);
            let is_last = item.is_err();
            self.lock().item = Some(item);
            yield_once().await;
            if is_last {
                break;
            }
        }
        Ok(Response::ok(Body::new()))
    }

    fn lock(&self) -> MutexGuard<'_, Place> {
        lock(&self.0)
    }
}

/// Waits to be polled again, by whoever has taken what is in place.
async fn yield_once() {
    let mut yielded = false;
    poll_fn(|_| {
        if std::mem::replace(&mut yielded, true) {
            Poll::Ready(())
        } else {
            Poll::Pending
        }
    })
    .await;
}

/// The method's future, together with its stream once that is open.
struct Fed<F> {
    running: Pin<Box<F>>,
    place: Arc<Mutex<Place>>,
}

/// Resolves when the method has returned its stream, or has ended without one.
struct Opening<F>(Option<Fed<F>>);

impl<F> Future for Opening<F>
where
    F: Future<Output = Result<Response, Fault>> + Send + 'static,
{
    type Output = Result<Response, Fault>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut TaskContext<'_>) -> Poll<Self::Output> {
        let mut fed = self.0.take().expect("a future is not polled after it is ready");
        let polled = fed.running.as_mut().poll(cx);
        if lock(&fed.place).opened {
            return Poll::Ready(Ok(Response::stream(Items::new(fed))));
        }
        if polled.is_pending() {
            self.0 = Some(fed);
        }
        polled
    }
}

impl<F> Stream for Fed<F>
where
    F: Future<Output = Result<Response, Fault>>,
{
    type Item = Result<Body, ItemError>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut TaskContext<'_>) -> Poll<Option<Self::Item>> {
        match self.running.as_mut().poll(cx) {
            Poll::Ready(Ok(_)) => Poll::Ready(None),
            Poll::Ready(Err(fault)) => Poll::Ready(Some(Err(ItemError::Fault(fault)))),
            Poll::Pending => match lock(&self.place).item.take() {
                Some(item) => Poll::Ready(Some(item)),
                None => Poll::Pending,
            },
        }
    }
}

fn lock(place: &Mutex<Place>) -> MutexGuard<'_, Place> {
    place.lock().unwrap_or_else(PoisonError::into_inner)
}
