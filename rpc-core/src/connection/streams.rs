//! The streams of a connection, as the lock guards them: items that came and were not taken, and senders that wait.

use std::collections::{HashMap, VecDeque};
use std::task::Waker;

use crate::fault::{Fault, Outcome, Reason};
use crate::proto::{Body, CallId, Opener, Pack, StreamId};
use crate::streaming::ItemError;

/// All streams of one connection that somebody reads or feeds.
#[derive(Default)]
pub(super) struct Streams {
    /// Nothing before the first stream: each call looks here, and few connections have streams.
    known: Option<Box<Known>>,
}

#[derive(Default)]
struct Known {
    inboxes: HashMap<StreamId, Inbox>,
    /// Whom to wake when a stream has room, or is over.
    senders: HashMap<StreamId, Waker>,
    /// Which task feeds the items behind a request of this end's. A request that is taken back leaves no trace, so the
    /// next call may have its name before its task has noticed.
    feeds: HashMap<CallId, u64>,
    fed: u64,
}

/// A stream from this end, as the one who feeds it knows it.
#[derive(Clone, Copy)]
pub(super) struct Outlet {
    pub(super) id: StreamId,
    /// Of the tasks that feed requests each has its own.
    feed: u64,
}

impl Outlet {
    /// Where the items go that answer a call of the peer's.
    pub(super) fn of_answer(call: CallId) -> Self {
        let opener = Opener::Peer;
        Self {
            id: StreamId { opener, call },
            feed: 0,
        }
    }
}

/// What came and was not taken; its size is bounded by the stream's credit.
#[derive(Default)]
pub(super) struct Inbox {
    items: VecDeque<Came>,
    end: Option<Result<(), ItemError>>,
    waker: Option<Waker>,
}

/// Items as they came: the small ones of a packet together, each other one alone.
pub(super) enum Came {
    Pack(Pack),
    Item(Body),
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
    /// Whether nobody reads a stream, and nobody waits for one to have room.
    #[inline]
    pub(super) fn is_empty(&self) -> bool {
        let known = self.known.as_ref();
        known.is_none_or(|known| known.inboxes.is_empty() && known.senders.is_empty())
    }

    /// How many streams something is kept for.
    #[cfg(feature = "testing")]
    pub(super) fn len(&self) -> usize {
        let known = self.known.as_ref();
        known.map_or(0, |known| known.inboxes.len() + known.senders.len())
    }

    /// From now on the stream's items are kept for its reader.
    pub(super) fn open(&mut self, id: StreamId) {
        self.known().inboxes.insert(id, Inbox::default());
    }

    /// The items of a call of the peer's may be read from now on.
    pub(super) fn open_upload(&mut self, call: CallId) {
        let opener = Opener::Peer;
        self.open(StreamId { opener, call });
    }

    /// Keeps what came. Whom to wake.
    pub(super) fn put(&mut self, id: StreamId, item: Came) -> Option<Waker> {
        let inbox = self.inbox(id)?;
        inbox.items.push_back(item);
        inbox.waker.take()
    }

    /// No more items come; the first end counts. Whom to wake.
    pub(super) fn end(&mut self, id: StreamId, end: Result<(), ItemError>) -> Option<Waker> {
        let inbox = self.inbox(id)?;
        inbox.end.get_or_insert(end);
        inbox.waker.take()
    }

    /// Ends every stream. Whom to wake.
    pub(super) fn end_all(&mut self, end: impl Fn() -> ItemError) -> Vec<Waker> {
        let mut wake = Vec::new();
        let Some(known) = &mut self.known else {
            return wake;
        };
        for inbox in known.inboxes.values_mut() {
            inbox.end.get_or_insert_with(|| Err(end()));
            wake.extend(inbox.waker.take());
        }
        wake.extend(known.senders.drain().map(|(_, waker)| waker));
        wake
    }

    /// Moves what came to `items`, which is empty.
    pub(super) fn take(&mut self, id: StreamId, items: &mut VecDeque<Came>, waker: &Waker) -> Found {
        let Some(inbox) = self.inbox(id) else {
            // Never an end that looks whole.
            let fault = Fault::new(Outcome::MayHaveRun, Reason::Cancelled);
            return Found::End(Err(ItemError::Fault(fault)));
        };
        if !inbox.items.is_empty() {
            std::mem::swap(&mut inbox.items, items);
            return Found::Items;
        }
        if let Some(end) = inbox.end.take() {
            self.close(id);
            return Found::End(end);
        }
        inbox.waker = Some(waker.clone());
        Found::Nothing
    }

    /// Nobody reads the stream any more. What it held is to be dropped outside of the lock.
    pub(super) fn close(&mut self, id: StreamId) -> Option<Inbox> {
        self.known.as_mut()?.inboxes.remove(&id)
    }

    /// The calls of this end's whose streams somebody reads.
    pub(super) fn read_by_this_end(&self) -> impl Iterator<Item = CallId> {
        let ids = self.known.iter().flat_map(|known| known.inboxes.keys());
        let ids = ids.filter(|id| id.opener == Opener::ThisEnd);
        ids.map(|id| id.call)
    }

    /// Whether somebody reads the stream.
    #[inline]
    pub(super) fn has_reader(&self, id: StreamId) -> bool {
        let known = self.known.as_ref();
        known.is_some_and(|known| known.inboxes.contains_key(&id))
    }

    /// Whom to wake when there is room.
    pub(super) fn wait_for_room(&mut self, id: StreamId, waker: &Waker) {
        let known = self.known().senders.entry(id).or_insert_with(|| waker.clone());
        if !known.will_wake(waker) {
            known.clone_from(waker);
        }
    }

    /// Items are to follow the request of a call of this end's.
    pub(super) fn open_outlet(&mut self, call: CallId) -> Outlet {
        let known = self.known();
        known.fed += 1;
        known.feeds.insert(call, known.fed);
        let (opener, feed) = (Opener::ThisEnd, known.fed);
        Outlet {
            id: StreamId { opener, call },
            feed,
        }
    }

    /// Whether the stream is still that of its call.
    pub(super) fn is_open(&self, outlet: Outlet) -> bool {
        let feed = |known: &Known| known.feeds.get(&outlet.id.call).copied();
        outlet.id.opener == Opener::Peer || self.known.as_deref().and_then(feed) == Some(outlet.feed)
    }

    /// No items leave on the stream any more. Whom to wake.
    #[inline]
    pub(super) fn end_sender(&mut self, id: StreamId) -> Option<Waker> {
        let known = self.known.as_mut()?;
        if id.opener == Opener::ThisEnd {
            known.feeds.remove(&id.call);
        }
        known.senders.remove(&id)
    }

    /// There may be room. Whom to wake.
    #[inline]
    pub(super) fn sender(&mut self, id: StreamId) -> Option<Waker> {
        self.known.as_mut()?.senders.remove(&id)
    }

    fn inbox(&mut self, id: StreamId) -> Option<&mut Inbox> {
        self.known.as_mut()?.inboxes.get_mut(&id)
    }

    fn known(&mut self) -> &mut Known {
        self.known.get_or_insert_default()
    }
}
