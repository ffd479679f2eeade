//! The half of a stream that sends: what the credit, a body before the items and what has not left leave room for.

use super::super::call::{FaultRecord, code, ran};
use super::super::outbox::{Mark, Outbox};
use super::super::unsent::Unsent;
use super::super::window::Window;
use super::super::wire::Kind;
use super::super::{Body, Pack};
use super::{ItemsEnd, Room, StreamId, cost, frame};

/// A stream from this end.
#[derive(Debug)]
pub(in crate::proto) struct ItemsOut {
    window: Window,
    /// A body of the same call is leaving in fragments, and nothing of the call may overtake it.
    behind_body: bool,
    stopped: bool,
    /// What is to follow that body.
    end: Option<ItemsEnd>,
    unsent: Unsent,
}

impl ItemsOut {
    pub(in crate::proto) fn new(credit: u64, behind_body: bool) -> Self {
        Self {
            window: Window::new(credit),
            behind_body,
            stopped: false,
            end: None,
            unsent: Unsent::default(),
        }
    }

    /// Queues an item; there was room.
    pub(in crate::proto) fn send(&mut self, id: StreamId, body: Body, outbox: &mut Outbox) {
        let cost = cost(body.len());
        self.window.charge(cost);
        if outbox.fits(0, body.len()) {
            let mark = outbox.push(&frame(Kind::Item, id, &[]), body);
            self.unsent.add(cost, mark);
        } else {
            let total = (body.len() as u64).to_le_bytes();
            outbox.push_large(&frame(Kind::Item, id, &total), body);
            self.behind_body = true;
        }
    }

    /// Queues small items; there was room.
    pub(in crate::proto) fn send_all(&mut self, id: StreamId, items: &mut Pack, outbox: &mut Outbox) {
        let frame = frame(Kind::Item, id, &[]);
        while let Some(item) = items.pop() {
            let cost = cost(item.len());
            self.window.charge(cost);
            let mark = outbox.push_copy(&frame, item);
            self.unsent.add(cost, mark);
        }
    }

    /// Queues the end, or keeps it until the body before it has left.
    pub(in crate::proto) fn end(&mut self, id: StreamId, end: ItemsEnd, outbox: &mut Outbox) -> Option<Mark> {
        if self.behind_body {
            self.end = Some(end);
            return None;
        }
        Some(push_end(id, end, outbox))
    }

    /// The body has left. The mark of the end, if it followed.
    pub(in crate::proto) fn on_body_sent(&mut self, id: StreamId, outbox: &mut Outbox) -> Option<Mark> {
        self.behind_body = false;
        self.end.take().map(|end| push_end(id, end, outbox))
    }

    /// The receiver told its total; the largest number means that it wants no more.
    pub(in crate::proto) fn raise(&mut self, granted: u64) {
        self.stopped |= granted == u64::MAX;
        self.window.raise(granted);
    }

    pub(in crate::proto) fn room(&self) -> Room {
        match self.window.left() {
            _ if self.end.is_some() => Room::Over,
            _ if self.stopped => Room::Stopped,
            0 => Room::Full,
            _ if self.behind_body => Room::Full,
            left => Room::Open(left),
        }
    }

    /// The same, for who sends now: also bounded by what has not left. Then the packet that has to leave before.
    pub(in crate::proto) fn room_to_send(&mut self, outbox: &Outbox) -> (Room, Option<Mark>) {
        match self.room() {
            Room::Open(left) => match self.unsent.left(outbox) {
                Ok(most) => (Room::Open(left.min(most)), None),
                Err(mark) => (Room::Full, Some(mark)),
            },
            room => (room, None),
        }
    }

    pub(in crate::proto) fn is_behind_body(&self) -> bool {
        self.behind_body
    }
}

fn push_end(id: StreamId, end: ItemsEnd, outbox: &mut Outbox) -> Mark {
    let (status, body) = match end {
        ItemsEnd::Complete => (0, Body::new()),
        ItemsEnd::Failed(error) if outbox.fits(4, error.len()) => (1, error),
        ItemsEnd::Failed(error) => (2, too_large(error.len(), outbox).encode()),
        ItemsEnd::Faulted(record) => (2, record.encode()),
    };
    outbox.push(&frame(Kind::End, id, &[status, 0, 0, 0]), body)
}

/// The error that ends a stream has no fragments.
fn too_large(size: usize, outbox: &Outbox) -> FaultRecord {
    FaultRecord {
        code: code::BODY_TOO_LARGE,
        outcome: ran::RAN,
        values: [size as u64, outbox.largest(4) as u64],
        text: "an error that ends a stream fits into one packet".to_owned(),
    }
}
