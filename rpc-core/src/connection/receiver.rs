//! The reader's end of a stream of items.

use std::collections::VecDeque;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use futures_core::Stream;

use super::shared::Shared;
use super::streams::Found;
use crate::proto::{Body, StreamId, cost};
use crate::streaming::ItemError;

/// How much is read, in credit, before the sender is told of it although more is there to be read.
const TELL_AFTER: u64 = 32 * 1024;

/// The items of one stream as they come. They are taken from the connection many at a time.
pub(super) struct ItemsReceiver {
    shared: Arc<Shared>,
    id: StreamId,
    items: VecDeque<Body>,
    /// What was read and not yet told.
    read: u64,
    over: bool,
}

impl ItemsReceiver {
    pub(super) fn new(shared: &Arc<Shared>, id: StreamId) -> Self {
        Self {
            shared: Arc::clone(shared),
            id,
            items: VecDeque::new(),
            read: 0,
            over: false,
        }
    }
}

impl Stream for ItemsReceiver {
    type Item = Result<Body, ItemError>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = &mut *self;
        if this.over {
            return Poll::Ready(None);
        }
        if this.items.is_empty() || this.read >= TELL_AFTER {
            let read = std::mem::take(&mut this.read);
            match this.shared.take_items(this.id, read, &mut this.items, cx.waker()) {
                Found::Items => {}
                Found::Nothing => return Poll::Pending,
                Found::End(end) => {
                    this.over = true;
                    return Poll::Ready(end.err().map(Err));
                }
            }
        }
        let item = this.items.pop_front();
        this.read += item.as_ref().map_or(0, |item| cost(item.len()));
        Poll::Ready(item.map(Ok))
    }
}

impl Drop for ItemsReceiver {
    fn drop(&mut self) {
        if !self.over {
            self.shared.stop_reading(self.id);
        }
    }
}
