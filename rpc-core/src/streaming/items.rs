//! Items as they travel: encoded.

use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll};

use futures_core::Stream;

use super::Batch;
use super::source::{Filled, Lent, Plain, Source};
use crate::fault::Fault;
use crate::proto::Body;

/// Encoded items, as requests and responses carry them through tower layers. After an error nothing follows.
pub struct Items(Pin<Box<dyn Source>>);

/// Why a stream of items broke off.
#[derive(Clone, Debug)]
pub enum ItemError {
    /// The one who made the items ended them with an error of its own, encoded here.
    Failed(Body),
    /// The items did not arrive.
    Fault(Fault),
}

impl Items {
    /// The items that `stream` yields.
    pub fn new(stream: impl Stream<Item = Result<Body, ItemError>> + Send + 'static) -> Self {
        Self::of(Plain::new(stream))
    }

    /// The items of `source`.
    pub(crate) fn of(source: impl Source + 'static) -> Self {
        Self(Box::pin(source))
    }

    /// The same, holding `guard` until they are dropped.
    pub(crate) fn holding(self, guard: impl Send + 'static) -> Self {
        Self::of(Holding {
            items: self,
            _guard: guard,
        })
    }
}

impl Source for Items {
    fn poll_lent(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Lent<'_>, ItemError>>> {
        self.get_mut().0.as_mut().poll_lent(cx)
    }

    fn poll_fill(mut self: Pin<&mut Self>, cx: &mut Context<'_>, batch: &mut Batch) -> Poll<Filled> {
        self.0.as_mut().poll_fill(cx, batch)
    }
}

impl Stream for Items {
    type Item = Result<Body, ItemError>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.0.as_mut().poll_next(cx)
    }
}

/// Items beside something that lives as long.
struct Holding<G> {
    items: Items,
    _guard: G,
}

// The guard is never polled, so it may be moved.
impl<G> Unpin for Holding<G> {}

impl<G: Send> Stream for Holding<G> {
    type Item = Result<Body, ItemError>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        Pin::new(&mut self.items).poll_next(cx)
    }
}

impl<G: Send> Source for Holding<G> {
    fn poll_lent(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Lent<'_>, ItemError>>> {
        Pin::new(&mut self.get_mut().items).poll_lent(cx)
    }

    fn poll_fill(mut self: Pin<&mut Self>, cx: &mut Context<'_>, batch: &mut Batch) -> Poll<Filled> {
        Pin::new(&mut self.items).poll_fill(cx, batch)
    }
}

impl fmt::Debug for Items {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Items").finish_non_exhaustive()
    }
}
