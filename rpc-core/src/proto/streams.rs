//! What a connection's user does with the streams of its calls.

use super::connection::Connection;
use super::event::Event;
use super::incoming::Incoming;
use super::items::{CreditDue, ItemsEnd, ItemsIn, Opener, Room, StreamId, push_credit};
use super::outgoing::Outgoing;
use super::{Body, CallId, Pack};

impl Connection {
    /// Answers a running call of the peer's by a stream of items, which [`answer`](Self::answer) ends. False: the call
    /// is to end, or nobody waits for its result.
    pub fn open_stream(&mut self, call: CallId) -> bool {
        let most = self.agreed.received.stream;
        self.incoming.open_stream(call, most, &mut self.outbox)
    }

    /// Whether the peer takes streams at all.
    #[must_use]
    pub fn takes_streams(&self) -> bool {
        self.agreed.received.stream > 0
    }

    /// Whether an item may be sent.
    pub fn room(&mut self, id: StreamId) -> Room {
        let (room, behind) = match id.opener {
            Opener::ThisEnd => self.outgoing.room(id.call, &self.outbox),
            Opener::Peer => self.incoming.room(id.call, &self.outbox),
        };
        if let Some(mark) = behind
            && !self.held.iter().any(|(_, held)| *held == id)
        {
            self.held.push((mark, id));
        }
        room
    }

    /// Queues an item, if the stream has not ended; the caller has seen that there is [room](Self::room). The item is
    /// within [`Self::max_body`].
    pub fn send_item(&mut self, id: StreamId, item: Body) -> bool {
        match id.opener {
            Opener::ThisEnd => self.outgoing.send_item(id.call, item, &mut self.outbox),
            Opener::Peer => self.incoming.send_item(id.call, item, &mut self.outbox),
        }
    }

    /// Queues small items, in the same way.
    pub fn send_items(&mut self, id: StreamId, items: &mut Pack) -> bool {
        match id.opener {
            Opener::ThisEnd => self.outgoing.send_items(id.call, items, &mut self.outbox),
            Opener::Peer => self.incoming.send_items(id.call, items, &mut self.outbox),
        }
    }

    /// Ends the items that follow a request of this end's. False: they had ended.
    pub fn end_upload(&mut self, call: CallId, end: ItemsEnd) -> bool {
        self.outgoing.end_items(call, end, &mut self.outbox)
    }

    /// Items of that [cost](super::cost) were taken by whoever reads the stream.
    pub fn take_items(&mut self, id: StreamId, cost: u64) {
        let due = match id.opener {
            Opener::ThisEnd => self.outgoing.take_items(id.call, cost),
            Opener::Peer => self.incoming.take_items(id.call, cost),
        };
        if due {
            self.owed.push(id);
        }
    }

    /// Queues the credit that senders of items are to be told, one frame a stream at a time.
    pub(super) fn push_owed(&mut self) {
        if self.owed.is_empty() {
            return;
        }
        let mut owed = std::mem::take(&mut self.owed);
        owed.retain(|id| {
            let Some(items) = items_in(*id, &mut self.outgoing, &mut self.incoming) else {
                return false;
            };
            match items.credit_due(&self.outbox) {
                CreditDue::No => false,
                CreditDue::Later => true,
                CreditDue::Now(granted) => {
                    items.on_credit_queued(push_credit(*id, granted, &mut self.outbox));
                    false
                }
            }
        });
        self.owed = owed;
    }

    /// What a packet has ended is owed no credit.
    #[inline]
    pub(super) fn forget_owed(&mut self) {
        if self.owed.is_empty() {
            return;
        }
        self.owed.retain(|id| {
            let items = items_in(*id, &mut self.outgoing, &mut self.incoming);
            items.is_some_and(|items| items.is_wanted())
        });
    }

    /// A packet was taken: who waited for it may send again.
    #[inline]
    pub(super) fn release_held(&mut self) {
        if self.held.is_empty() {
            return;
        }
        let outbox = &self.outbox;
        let left = self.held.extract_if(.., |(mark, _)| outbox.has_left(*mark));
        self.events.extend(left.map(|(_, id)| Event::Room(id)));
    }

    /// Nobody reads the items of a call of the peer's any more, though the call goes on.
    pub fn stop_items(&mut self, call: CallId) {
        self.incoming.stop_items(call, &mut self.outbox);
    }

    /// Whether there is an event to be polled.
    #[must_use]
    pub fn has_events(&self) -> bool {
        !self.events.is_empty()
    }

    /// A large body has left whole: what waited behind it may follow.
    pub(super) fn on_body_sent(&mut self, id: StreamId) {
        let has_room = match id.opener {
            Opener::ThisEnd => self.outgoing.on_body_sent(id.call, &mut self.outbox),
            Opener::Peer => self.incoming.on_body_sent(id.call, &mut self.outbox),
        };
        if has_room {
            self.events.push_back(Event::Room(id));
        }
    }
}

/// The half of a stream that receives, if its call has one.
fn items_in<'a>(
    id: StreamId,
    outgoing: &'a mut Outgoing,
    incoming: &'a mut Incoming,
) -> Option<&'a mut ItemsIn> {
    match id.opener {
        Opener::ThisEnd => outgoing.items_in(id.call),
        Opener::Peer => incoming.items_in(id.call),
    }
}
