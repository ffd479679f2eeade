//! What a connection's user does with the streams of its calls.

use super::connection::Connection;
use super::event::Event;
use super::items::{ItemsEnd, Opener, Room, StreamId, push_credit};
use super::{Body, CallId};

impl Connection {
    /// Answers a running call of the peer's by a stream of items, which [`answer`](Self::answer) ends. False: the call
    /// is to end, or nobody waits for its result.
    pub fn open_stream(&mut self, call: CallId) -> bool {
        let most = self.agreed.received.stream;
        self.incoming.open_stream(call, most, &mut self.outbox)
    }

    /// Whether an item may be sent.
    pub fn room(&mut self, id: StreamId) -> Room {
        match id.opener {
            Opener::ThisEnd => self.outgoing.room(id.call),
            Opener::Peer => self.incoming.room(id.call),
        }
    }

    /// Queues an item, if the stream has not ended; the caller has seen that there is [room](Self::room). The item is
    /// within [`Self::max_body`].
    pub fn send_item(&mut self, id: StreamId, item: Body) -> bool {
        match id.opener {
            Opener::ThisEnd => self.outgoing.send_item(id.call, item, &mut self.outbox),
            Opener::Peer => self.incoming.send_item(id.call, item, &mut self.outbox),
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
        if let Some(granted) = due {
            push_credit(id, granted, &mut self.outbox);
        }
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
