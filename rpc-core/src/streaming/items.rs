//! Items as they travel: encoded.

use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll};

use futures_core::Stream;
use futures_util::StreamExt;

use crate::fault::Fault;
use crate::proto::Body;

/// Encoded items, as requests and responses carry them through tower layers. After an error nothing follows.
pub struct Items(Pin<Box<dyn Stream<Item = Result<Body, ItemError>> + Send>>);

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
        Self(Box::pin(stream))
    }
}

impl Items {
    /// The same, holding `guard` until they are dropped.
    pub(crate) fn holding(self, guard: impl Send + 'static) -> Self {
        Self(Box::pin(self.inspect(move |_| {
            let _ = &guard;
        })))
    }
}

impl Stream for Items {
    type Item = Result<Body, ItemError>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.0.as_mut().poll_next(cx)
    }
}

impl fmt::Debug for Items {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Items").finish_non_exhaustive()
    }
}
