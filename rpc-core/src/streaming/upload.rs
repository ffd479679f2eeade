//! The sending end of a stream that is an argument.

use std::fmt;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, ready};

use futures_core::Stream;
use serde::Serialize;

use crate::codec::Codec;
use crate::proto::Body;

use super::{Batch, Filled, ItemError, Items, Source};

/// The items that follow a request. They can be sent once; clones share them, as clones of a request do.
#[derive(Clone)]
pub struct Upload(Arc<Mutex<Option<Items>>>);

impl Upload {
    /// These items, already encoded.
    #[must_use]
    pub fn new(items: Items) -> Self {
        Self(Arc::new(Mutex::new(Some(items))))
    }

    /// The values of `stream`.
    pub fn of<T: Serialize + 'static>(codec: Codec, stream: impl Stream<Item = T> + Send + 'static) -> Self {
        let add = move |batch: &mut Batch, value| batch.add(codec, value);
        Self::new(Encoded::items(stream, add))
    }

    /// The values of `stream`, up to its first error.
    pub fn of_results<T, E>(codec: Codec, stream: impl Stream<Item = Result<T, E>> + Send + 'static) -> Self
    where
        T: Serialize + 'static,
        E: Serialize + 'static,
    {
        let add = move |batch: &mut Batch, value| batch.add_result(codec, value);
        Self::new(Encoded::items(stream, add))
    }

    /// The items, unless somebody has taken them.
    #[must_use]
    pub fn take(&self) -> Option<Items> {
        self.lock().take()
    }

    /// Puts the items back that were taken and not begun.
    pub(crate) fn put_back(&self, items: Items) {
        *self.lock() = Some(items);
    }

    /// Whether nobody has taken the items yet.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        self.lock().is_some()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Option<Items>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Upload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Upload")
            .field("is_whole", &self.is_whole())
            .finish()
    }
}

/// A stream whose values are encoded when they come.
struct Encoded<S, F> {
    stream: Pin<Box<S>>,
    add: F,
}

impl<S, F> Encoded<S, F>
where
    S: Stream + Send + 'static,
    F: Fn(&mut Batch, S::Item) -> Result<(), ItemError> + Unpin + Send + 'static,
{
    fn items(stream: S, add: F) -> Items {
        Items::of(Self {
            stream: Box::pin(stream),
            add,
        })
    }
}

impl<S, F> Source for Encoded<S, F>
where
    S: Stream + Send,
    F: Fn(&mut Batch, S::Item) -> Result<(), ItemError> + Unpin + Send,
{
    fn poll_fill(mut self: Pin<&mut Self>, cx: &mut Context<'_>, batch: &mut Batch) -> Poll<Filled> {
        let this = &mut *self;
        while !batch.is_full() {
            let Some(value) = ready!(this.stream.as_mut().poll_next(cx)) else {
                return Poll::Ready(Filled::Ended(Ok(())));
            };
            let added = (this.add)(batch, value);
            if added.is_err() {
                return Poll::Ready(Filled::Ended(added));
            }
        }
        Poll::Ready(Filled::Full)
    }
}

impl<S, F> Stream for Encoded<S, F>
where
    S: Stream + Send,
    F: Fn(&mut Batch, S::Item) -> Result<(), ItemError> + Unpin + Send,
{
    type Item = Result<Body, ItemError>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.poll_one(cx)
    }
}
