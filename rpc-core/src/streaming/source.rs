//! Where items come from, as the two fast ways see it: many at a time to send, and each where it lies to decode.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use futures_core::Stream;

use super::{Batch, ItemError};
use crate::proto::Body;

/// What [`Items`](super::Items) is made of. A stream alone is one, but each of its items is a body of its own.
pub(crate) trait Source: Stream<Item = Result<Body, ItemError>> + Send {
    /// The next item, without a copy of it.
    fn poll_lent(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Lent<'_>, ItemError>>> {
        self.poll_next(cx)
            .map(|item| item.map(|item| item.map(Lent::Body)))
    }

    /// Adds items to the batch. Ready when it is full, or the items have ended; pending with what there was till then.
    fn poll_fill(mut self: Pin<&mut Self>, cx: &mut Context<'_>, batch: &mut Batch) -> Poll<Filled> {
        while !batch.is_full() {
            let added = match ready!(self.as_mut().poll_next(cx)) {
                None => return Poll::Ready(Filled::Ended(Ok(()))),
                Some(item) => item.and_then(|item| batch.push(item)),
            };
            if added.is_err() {
                return Poll::Ready(Filled::Ended(added));
            }
        }
        Poll::Ready(Filled::Full)
    }

    /// The next item, for sources whose one way is to fill batches.
    fn poll_one(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Body, ItemError>>> {
        let mut batch = Batch::of_one();
        let filled = self.poll_fill(cx, &mut batch);
        match (batch.into_one(), filled) {
            (Some(item), _) => Poll::Ready(Some(Ok(item))),
            (None, Poll::Ready(Filled::Ended(end))) => Poll::Ready(end.err().map(Err)),
            (None, _) => Poll::Pending,
        }
    }
}

/// An item, to be looked at.
pub(crate) enum Lent<'a> {
    /// It lies among others.
    Bytes(&'a [u8]),
    Body(Body),
}

impl Lent<'_> {
    /// The item, as a body of its own.
    pub(crate) fn into_body(self) -> Body {
        match self {
            Self::Bytes(bytes) => Body::copy_from(bytes),
            Self::Body(body) => body,
        }
    }
}

/// Why no more items are added to a batch.
pub(crate) enum Filled {
    /// It is full; more may follow.
    Full,
    /// There are no more.
    Ended(Result<(), ItemError>),
}

/// Any stream.
pub(super) struct Plain<S>(Pin<Box<S>>);

impl<S> Plain<S> {
    pub(super) fn new(stream: S) -> Self {
        Self(Box::pin(stream))
    }
}

impl<S: Stream<Item = Result<Body, ItemError>>> Stream for Plain<S> {
    type Item = Result<Body, ItemError>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.0.as_mut().poll_next(cx)
    }
}

impl<S: Stream<Item = Result<Body, ItemError>> + Send> Source for Plain<S> {}
