//! A method that returns a stream: one boxed future runs the handler and then its stream, which may borrow from it.

use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context as TaskContext, Poll, ready};

use futures_core::Stream;
use serde::Serialize;

use crate::fault::Fault;
use crate::message::{Request, Response};
use crate::proto::Body;
use crate::streaming::{Batch, Filled, ItemError, Items, Source};

use super::{Context, Reply};

/// Where a method that returns a stream puts its items, a batch at a time: the next is made when this one was taken.
pub struct Feed(Arc<Mutex<Place>>);

/// What is between the future that feeds and whoever polls it.
#[derive(Default)]
struct Place {
    opened: bool,
    batch: Batch,
    /// How the stream ended.
    end: Option<Result<(), ItemError>>,
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
        let codec = cx.codec();
        self.all(stream, |batch, value| batch.add(codec, value)).await
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
        let codec = cx.codec();
        self.all(stream, |batch, item| batch.add_result(codec, item))
            .await
    }

    async fn all<S: Stream>(
        self,
        stream: S,
        add: impl Fn(&mut Batch, S::Item) -> Result<(), ItemError>,
    ) -> Result<Response, Fault> {
        self.lock().opened = true;
        // Whoever polls sees it open now, and polls on as the response's items.
        yield_once().await;
        let mut stream = pin!(stream);
        let end = poll_fn(|cx| {
            let mut lent = Lent::from(&self.0);
            // A full batch is taken by whoever polls, who then polls again.
            while !lent.batch.is_full() {
                let Some(item) = ready!(stream.as_mut().poll_next(cx)) else {
                    return Poll::Ready(Ok(()));
                };
                let added = add(&mut lent.batch, item);
                if added.is_err() {
                    return Poll::Ready(added);
                }
            }
            Poll::Pending
        });
        let end = end.await;
        self.lock().end = Some(end);
        Ok(Response::ok(Body::new()))
    }

    fn lock(&self) -> MutexGuard<'_, Place> {
        lock(&self.0)
    }
}

/// The batch that is in place, taken out and put back, if by a panic.
struct Lent<'a> {
    place: &'a Mutex<Place>,
    batch: Batch,
}

impl<'a> Lent<'a> {
    fn from(place: &'a Mutex<Place>) -> Self {
        let batch = std::mem::take(&mut lock(place).batch);
        Self { place, batch }
    }
}

impl Drop for Lent<'_> {
    fn drop(&mut self) {
        lock(self.place).batch = std::mem::take(&mut self.batch);
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
            return Poll::Ready(Ok(Response::stream(Items::of(fed))));
        }
        if polled.is_pending() {
            self.0 = Some(fed);
        }
        polled
    }
}

impl<F> Source for Fed<F>
where
    F: Future<Output = Result<Response, Fault>> + Send,
{
    fn poll_fill(mut self: Pin<&mut Self>, cx: &mut TaskContext<'_>, batch: &mut Batch) -> Poll<Filled> {
        let this = &mut *self;
        let put = Put::into(&this.place, batch);
        let polled = this.running.as_mut().poll(cx);
        drop(put);
        let end = match polled {
            Poll::Pending if batch.is_full() => return Poll::Ready(Filled::Full),
            Poll::Pending => return Poll::Pending,
            Poll::Ready(Ok(_)) => lock(&this.place).end.take().unwrap_or(Ok(())),
            Poll::Ready(Err(fault)) => Err(ItemError::Fault(fault)),
        };
        Poll::Ready(Filled::Ended(end))
    }
}

impl<F> Stream for Fed<F>
where
    F: Future<Output = Result<Response, Fault>> + Send,
{
    type Item = Result<Body, ItemError>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut TaskContext<'_>) -> Poll<Option<Self::Item>> {
        self.poll_one(cx)
    }
}

/// A batch that is in place until this is dropped, if by a panic.
struct Put<'a> {
    place: &'a Mutex<Place>,
    batch: &'a mut Batch,
}

impl<'a> Put<'a> {
    fn into(place: &'a Mutex<Place>, batch: &'a mut Batch) -> Self {
        std::mem::swap(&mut lock(place).batch, batch);
        Self { place, batch }
    }
}

impl Drop for Put<'_> {
    fn drop(&mut self) {
        std::mem::swap(&mut lock(self.place).batch, self.batch);
    }
}

fn lock(place: &Mutex<Place>) -> MutexGuard<'_, Place> {
    place.lock().unwrap_or_else(PoisonError::into_inner)
}
