//! The receiving end of a stream, typed.

use std::fmt;
use std::future::poll_fn;
use std::marker::PhantomData;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use futures_core::{FusedStream, Stream};
use serde::de::DeserializeOwned;

use crate::codec::Codec;
use crate::fault::{CallError, Outcome};
use crate::server::{decode, decode_slice};

use super::{ItemError, Items, Lent, NoError, Source};

/// A stream of values from the other end: what a client gets from a method that returns a stream, and what a method
/// gets that takes one.
///
/// It yields `Err` at most once, as its last item: the sender's own error, or the fault that kept the rest from
/// arriving (the other process died, the call was cancelled, the sender panicked). `None` without an `Err` before it
/// comes only if the sender sent everything: half a stream never looks whole.
///
/// A reader that is slow slows its sender: only 256 KiB are under way, or as many as `#[rpc(buffer = "..")]` says.
/// Dropped before its end, it tells the sender, whose own stream is dropped then: for a result, the whole call is
/// cancelled; for an argument, the call goes on.
///
/// # Cancel safety
/// Awaiting the next value may be cancelled at any time; no value is lost.
#[must_use = "a stream that is dropped tells its sender to stop"]
pub struct Streaming<T, E = NoError> {
    /// `None` when it is over.
    items: Option<Items>,
    codec: Codec,
    types: PhantomData<fn() -> (T, E)>,
}

impl<T, E> Streaming<T, E> {
    pub(crate) fn new(items: Items, codec: Codec) -> Self {
        Self {
            items: Some(items),
            codec,
            types: PhantomData,
        }
    }
}

impl<T, E> Streaming<T, E>
where
    T: DeserializeOwned + 'static,
    E: DeserializeOwned + 'static,
{
    /// The next value; `None` after the last one, or after an error.
    ///
    /// # Cancel safety
    /// Dropping the future loses nothing.
    pub async fn next(&mut self) -> Option<Result<T, CallError<E>>> {
        poll_fn(|cx| Pin::new(&mut *self).poll_next(cx)).await
    }
}

impl<T, E> Stream for Streaming<T, E>
where
    T: DeserializeOwned + 'static,
    E: DeserializeOwned + 'static,
{
    type Item = Result<T, CallError<E>>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = &mut *self;
        let Some(items) = &mut this.items else {
            return Poll::Ready(None);
        };
        let item = ready!(Pin::new(items).poll_lent(cx));
        let result = item.map(|item| typed(this.codec, item));
        if !matches!(result, Some(Ok(_))) {
            this.items = None;
        }
        Poll::Ready(result)
    }
}

impl<T, E> FusedStream for Streaming<T, E>
where
    Self: Stream,
{
    fn is_terminated(&self) -> bool {
        self.items.is_none()
    }
}

fn typed<T, E>(codec: Codec, item: Result<Lent<'_>, ItemError>) -> Result<T, CallError<E>>
where
    T: DeserializeOwned + 'static,
    E: DeserializeOwned + 'static,
{
    match item {
        Ok(Lent::Bytes(bytes)) => Ok(decode_slice(codec, bytes, Outcome::Ran)?),
        Ok(Lent::Body(body)) => Ok(decode(codec, body, Outcome::Ran)?),
        Err(ItemError::Failed(body)) => Err(CallError::Failed(decode(codec, body, Outcome::Ran)?)),
        Err(ItemError::Fault(fault)) => Err(CallError::Fault(fault)),
    }
}

impl<T, E> fmt::Debug for Streaming<T, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Streaming")
            .field("is_over", &self.items.is_none())
            .finish_non_exhaustive()
    }
}
