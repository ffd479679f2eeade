//! The streams of a connection, as the lock guards them: items that came and were not taken, and senders that wait.

use std::collections::{HashMap, VecDeque};
use std::task::Waker;

use crate::proto::{Body, CallId, Opener, StreamId};
use crate::streaming::ItemError;

/// All streams of one connection that somebody reads or feeds.
#[derive(Default)]
pub(super) struct Streams {
    pub(super) inboxes: HashMap<StreamId, Inbox>,
    /// Whom to wake when a stream has room, or is over.
    pub(super) senders: HashMap<StreamId, Waker>,
}

/// What came and was not taken; its size is bounded by the stream's credit.
#[derive(Default)]
pub(super) struct Inbox {
    items: VecDeque<Body>,
    end: Option<Result<(), ItemError>>,
    waker: Option<Waker>,
}

/// What a reader finds.
pub(super) enum Found {
    /// Items: they are with the reader now.
    Items,
    /// No items, and none will come.
    End(Result<(), ItemError>),
    /// Nothing yet: the reader will be woken.
    Nothing,
}

impl Streams {
    /// From now on the stream's items are kept for its reader.
    pub(super) fn open(&mut self, id: StreamId) {
        self.inboxes.insert(id, Inbox::default());
    }

    /// Keeps an item. Whom to wake.
    pub(super) fn put(&mut self, id: StreamId, item: Body) -> Option<Waker> {
        let inbox = self.inboxes.get_mut(&id)?;
        inbox.items.push_back(item);
        inbox.waker.take()
    }

    /// No more items come; the first end counts. Whom to wake.
    pub(super) fn end(&mut self, id: StreamId, end: Result<(), ItemError>) -> Option<Waker> {
        if self.inboxes.is_empty() {
            return None;
        }
        let inbox = self.inboxes.get_mut(&id)?;
        inbox.end.get_or_insert(end);
        inbox.waker.take()
    }

    /// Ends every stream. Whom to wake.
    pub(super) fn end_all(&mut self, end: impl Fn() -> ItemError) -> Vec<Waker> {
        let mut wake = Vec::new();
        for inbox in self.inboxes.values_mut() {
            inbox.end.get_or_insert_with(|| Err(end()));
            wake.extend(inbox.waker.take());
        }
        wake.extend(self.senders.drain().map(|(_, waker)| waker));
        wake
    }

    /// Moves what came to `items`, which is empty.
    pub(super) fn take(&mut self, id: StreamId, items: &mut VecDeque<Body>, waker: &Waker) -> Found {
        let Some(inbox) = self.inboxes.get_mut(&id) else {
            return Found::End(Ok(()));
        };
        if !inbox.items.is_empty() {
            std::mem::swap(&mut inbox.items, items);
            return Found::Items;
        }
        if let Some(end) = inbox.end.take() {
            self.inboxes.remove(&id);
            return Found::End(end);
        }
        inbox.waker = Some(waker.clone());
        Found::Nothing
    }

    /// Nobody reads the stream any more. What it held is to be dropped outside of the lock.
    pub(super) fn close(&mut self, id: StreamId) -> Option<Inbox> {
        self.inboxes.remove(&id)
    }

    /// The calls of this end's whose streams somebody reads.
    pub(super) fn read_by_this_end(&self) -> impl Iterator<Item = CallId> {
        let ids = self.inboxes.keys().filter(|id| id.opener == Opener::ThisEnd);
        ids.map(|id| id.call)
    }

    /// Whether somebody reads the stream.
    pub(super) fn has_reader(&self, id: StreamId) -> bool {
        !self.inboxes.is_empty() && self.inboxes.contains_key(&id)
    }

    /// Whom to wake when there is room.
    pub(super) fn wait_for_room(&mut self, id: StreamId, waker: &Waker) {
        let known = self.senders.entry(id).or_insert_with(|| waker.clone());
        if !known.will_wake(waker) {
            known.clone_from(waker);
        }
    }

    /// There may be room, or it is over. Whom to wake.
    pub(super) fn sender(&mut self, id: StreamId) -> Option<Waker> {
        if self.senders.is_empty() {
            return None;
        }
        self.senders.remove(&id)
    }
}
