//! The sending end of a stream that is an argument.

use std::fmt;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};

use futures_core::Stream;
use serde::Serialize;

use crate::codec::Codec;
use crate::fault::Outcome;
use crate::proto::Body;
use crate::server::encode;

use super::{ItemError, Items};

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
        let encoded = Encoded {
            stream: Box::pin(stream),
            encode: move |value: T| encode(codec, value, Outcome::Ran).map_err(ItemError::Fault),
        };
        Self::new(Items::new(encoded))
    }

    /// The values of `stream`, up to its first error.
    pub fn of_results<T, E>(codec: Codec, stream: impl Stream<Item = Result<T, E>> + Send + 'static) -> Self
    where
        T: Serialize + 'static,
        E: Serialize + 'static,
    {
        let encoded = Encoded {
            stream: Box::pin(stream),
            encode: move |value: Result<T, E>| encode_result(codec, value),
        };
        Self::new(Items::new(encoded))
    }

    /// The items, unless somebody has taken them.
    #[must_use]
    pub fn take(&self) -> Option<Items> {
        self.lock().take()
    }

    /// Puts the items back that were taken and not begun.
    pub(crate) fn put_back(&self, items: Option<Items>) {
        *self.lock() = items;
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

/// An item of a fallible stream, encoded.
pub(crate) fn encode_result<T, E>(codec: Codec, item: Result<T, E>) -> Result<Body, ItemError>
where
    T: Serialize + 'static,
    E: Serialize + 'static,
{
    match item {
        Ok(value) => encode(codec, value, Outcome::Ran).map_err(ItemError::Fault),
        Err(error) => Err(match encode(codec, error, Outcome::Ran) {
            Ok(body) => ItemError::Failed(body),
            Err(fault) => ItemError::Fault(fault),
        }),
    }
}

/// A stream whose values are encoded when they come.
struct Encoded<S, F> {
    stream: Pin<Box<S>>,
    encode: F,
}

impl<S, F> Stream for Encoded<S, F>
where
    S: Stream,
    F: Fn(S::Item) -> Result<Body, ItemError> + Unpin,
{
    type Item = Result<Body, ItemError>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = &mut *self;
        let polled = this.stream.as_mut().poll_next(cx);
        polled.map(|value| value.map(|value| (this.encode)(value)))
    }
}
