//! The reader's end of a stream of items.

use std::collections::VecDeque;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use futures_core::Stream;

use super::shared::Shared;
use super::streams::{Came, Found};
use crate::proto::{Body, StreamId, cost};
use crate::streaming::{ItemError, Lent, Source};

/// How much is read, in credit, before the sender is told of it although more is there to be read.
const TELL_AFTER: u64 = 32 * 1024;

/// The items of one stream as they come. They are taken from the connection many at a time.
pub(super) struct ItemsReceiver {
    shared: Arc<Shared>,
    id: StreamId,
    items: VecDeque<Came>,
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

impl ItemsReceiver {
    /// Has items at hand, or tells that there are none.
    fn poll_items(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Option<ItemError>>> {
        if self.over {
            return Poll::Ready(Err(None));
        }
        if matches!(self.items.front(), Some(Came::Pack(pack)) if pack.is_empty()) {
            self.items.pop_front();
        }
        if self.items.is_empty() || self.read >= TELL_AFTER {
            let read = std::mem::take(&mut self.read);
            match self.shared.take_items(self.id, read, &mut self.items, cx.waker()) {
                Found::Items => {}
                Found::Nothing => return Poll::Pending,
                Found::End(end) => {
                    self.over = true;
                    return Poll::Ready(Err(end.err()));
                }
            }
        }
        Poll::Ready(Ok(()))
    }

    /// The next of the items that are at hand.
    fn next_at_hand(&mut self) -> Option<Lent<'_>> {
        if matches!(self.items.front(), Some(Came::Item(_))) {
            let Some(Came::Item(item)) = self.items.pop_front() else {
                return None;
            };
            self.read += cost(item.len());
            return Some(Lent::Body(item));
        }
        let Some(Came::Pack(pack)) = self.items.front_mut() else {
            return None;
        };
        let item = pack.pop()?;
        self.read += cost(item.len());
        Some(Lent::Bytes(item))
    }
}

impl Source for ItemsReceiver {
    fn poll_lent(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Lent<'_>, ItemError>>> {
        let this = self.get_mut();
        match ready!(this.poll_items(cx)) {
            Ok(()) => Poll::Ready(this.next_at_hand().map(Ok)),
            Err(end) => Poll::Ready(end.map(Err)),
        }
    }
}

impl Stream for ItemsReceiver {
    type Item = Result<Body, ItemError>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let item = ready!(self.poll_lent(cx));
        Poll::Ready(item.map(|item| item.map(Lent::into_body)))
    }
}

impl Drop for ItemsReceiver {
    fn drop(&mut self) {
        if !self.over {
            self.shared.stop_reading(self.id);
        }
    }
}
