//! Streams of items: the half that sends and the half that receives. PROTOCOL.md section 7.1.
//!
//! A call has at most one stream each way. Which call it belongs to, and whose call that is, is its name.

use super::assembly::Assembly;
use super::call::{CallId, FaultRecord, code, ran};
use super::error::ProtocolError;
use super::outbox::{Mark, OutFrame, Outbox};
use super::under_way::{Place, UnderWay};
use super::unsent::Unsent;
use super::window::Window;
use super::wire::{Kind, OPENER};
use super::{Body, Pack};

/// What an item costs beside its bytes, so that empty ones cannot be sent without end.
const OVERHEAD: u64 = 64;

/// Which end opened a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Opener {
    /// This one.
    ThisEnd,
    /// The other.
    Peer,
}

/// A call's stream to this end, or from it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct StreamId {
    /// Whose call it is.
    pub opener: Opener,
    /// Which of theirs.
    pub call: CallId,
}

/// Whether an item may be sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Room {
    /// Yes; so many bytes of credit are left, and the last item may go beyond.
    Open(u64),
    /// Not now: [`Event::Room`](super::Event::Room) tells when.
    Full,
    /// The other end wants no more; the stream is to be ended.
    Stopped,
    /// The stream has ended, or its call has.
    Over,
}

/// How a stream of items ends.
#[derive(Clone, Debug)]
pub enum ItemsEnd {
    /// All items were sent.
    Complete,
    /// With an error of the application's own.
    Failed(Body),
    /// It broke off.
    Faulted(FaultRecord),
}

/// What an item of that many bytes takes of the credit.
#[must_use]
pub fn cost(len: usize) -> u64 {
    (len as u64).saturating_add(OVERHEAD)
}

/// The half that sends.
#[derive(Debug)]
pub(super) struct ItemsOut {
    window: Window,
    /// A body of the same call is leaving in fragments, and nothing of the call may overtake it.
    behind_body: bool,
    stopped: bool,
    /// What is to follow that body.
    end: Option<ItemsEnd>,
    unsent: Unsent,
}

impl ItemsOut {
    pub(super) fn new(credit: u64, behind_body: bool) -> Self {
        Self {
            window: Window::new(credit),
            behind_body,
            stopped: false,
            end: None,
            unsent: Unsent::default(),
        }
    }

    /// Queues an item; there was room.
    pub(super) fn send(&mut self, id: StreamId, body: Body, outbox: &mut Outbox) {
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
    pub(super) fn send_all(&mut self, id: StreamId, items: &mut Pack, outbox: &mut Outbox) {
        let frame = frame(Kind::Item, id, &[]);
        while let Some(item) = items.pop() {
            let cost = cost(item.len());
            self.window.charge(cost);
            let mark = outbox.push_copy(&frame, item);
            self.unsent.add(cost, mark);
        }
    }

    /// Queues the end, or keeps it until the body before it has left.
    pub(super) fn end(&mut self, id: StreamId, end: ItemsEnd, outbox: &mut Outbox) -> Option<Mark> {
        if self.behind_body {
            self.end = Some(end);
            return None;
        }
        Some(push_end(id, end, outbox))
    }

    /// The body has left. The mark of the end, if it followed.
    pub(super) fn on_body_sent(&mut self, id: StreamId, outbox: &mut Outbox) -> Option<Mark> {
        self.behind_body = false;
        self.end.take().map(|end| push_end(id, end, outbox))
    }

    /// The receiver told its total; the largest number means that it wants no more.
    pub(super) fn raise(&mut self, granted: u64) {
        self.stopped |= granted == u64::MAX;
        self.window.raise(granted);
    }

    pub(super) fn room(&self) -> Room {
        match self.window.left() {
            _ if self.end.is_some() => Room::Over,
            _ if self.stopped => Room::Stopped,
            0 => Room::Full,
            _ if self.behind_body => Room::Full,
            left => Room::Open(left),
        }
    }

    /// The same, for who sends now: also bounded by what has not left. Then the packet that has to leave before.
    pub(super) fn room_to_send(&mut self, outbox: &Outbox) -> (Room, Option<Mark>) {
        match self.room() {
            Room::Open(left) => match self.unsent.left(outbox) {
                Ok(most) => (Room::Open(left.min(most)), None),
                Err(mark) => (Room::Full, Some(mark)),
            },
            room => (room, None),
        }
    }

    pub(super) fn is_behind_body(&self) -> bool {
        self.behind_body
    }
}

/// The half that receives.
#[derive(Debug)]
pub(super) struct ItemsIn {
    window: Window,
    /// How much the sender knows that it was granted.
    told: u64,
    /// How much is taken before that is told: half of what the stream began with.
    step: u64,
    /// The packet that the last credit leaves with.
    credit: Option<Mark>,
    /// It is in the connection's list of those that owe credit.
    listed: bool,
    /// An item that is arriving in fragments.
    item: Option<Assembly>,
    /// That item's place among those of all streams, as long as it is wanted.
    place: Option<Place>,
    unwanted: bool,
}

/// Whether a stream's sender is to be told of credit.
pub(super) enum CreditDue {
    /// Not any more.
    No,
    /// Later: what was told last has not left.
    Later,
    /// This total.
    Now(u64),
}

impl ItemsIn {
    pub(super) fn new(credit: u64) -> Self {
        Self {
            window: Window::new(credit),
            told: credit,
            step: (credit / 2).max(1),
            credit: None,
            listed: false,
            item: None,
            place: None,
            unwanted: false,
        }
    }

    /// A whole item, or the first part of one whose size is `total`. True: it is whole, and wanted.
    #[inline]
    pub(super) fn handle_item(
        &mut self,
        call: CallId,
        total: Option<u64>,
        part: &[u8],
        limit: u64,
        under_way: &UnderWay,
    ) -> Result<bool, ProtocolError> {
        let size = total.unwrap_or(part.len() as u64);
        if size > limit {
            return Err(ProtocolError::ItemTooLarge { total: size, limit });
        }
        if self.item.is_some() {
            return Err(ProtocolError::WrongFragments { call });
        }
        if !self.window.charge(size.saturating_add(OVERHEAD)) {
            return Err(ProtocolError::ItemCreditOverrun { call });
        }
        let Some(total) = total else {
            return Ok(!self.unwanted);
        };
        // Within the limit, which this end chose to fit its memory.
        let mut item = Assembly::new(usize::try_from(total).unwrap_or(usize::MAX));
        if self.unwanted {
            item.discard();
        } else {
            let place = under_way.begin(total);
            self.place = Some(place.ok_or(ProtocolError::ItemsOverrun { call })?);
        }
        if !item.push(part, true) {
            return Err(ProtocolError::WrongFragments { call });
        }
        self.item = Some(item);
        Ok(false)
    }

    /// A further part of an item. The item, if it is whole and wanted.
    pub(super) fn handle_fragment(
        &mut self,
        call: CallId,
        part: &[u8],
        more: bool,
    ) -> Result<Option<Body>, ProtocolError> {
        let wrong = ProtocolError::WrongFragments { call };
        let item = self.item.as_mut().ok_or(wrong)?;
        if !item.push(part, more) {
            return Err(wrong);
        }
        if more {
            return Ok(None);
        }
        self.place = None;
        let item = self.item.take().filter(|_| !self.unwanted);
        Ok(item.map(Assembly::finish))
    }

    /// The item that is arriving in fragments.
    pub(super) fn assembly(&mut self) -> Option<&mut Assembly> {
        self.item.as_mut()
    }

    /// Whether the stream may be complete here: not in the middle of an item.
    pub(super) fn is_between_items(&self) -> bool {
        self.item.is_none()
    }

    /// Items of that cost were taken by whoever reads them. True: the sender is to be told from now on.
    pub(super) fn take(&mut self, cost: u64) -> bool {
        if self.unwanted {
            return false;
        }
        self.window.give_back(cost);
        let due = self.window.granted() - self.told >= self.step;
        due && !std::mem::replace(&mut self.listed, true)
    }

    /// What the sender is to be told now.
    pub(super) fn credit_due(&mut self, outbox: &Outbox) -> CreditDue {
        if self.unwanted {
            return CreditDue::No;
        }
        if self.credit.is_some_and(|mark| !outbox.has_left(mark)) {
            return CreditDue::Later;
        }
        self.listed = false;
        self.told = self.window.granted();
        CreditDue::Now(self.told)
    }

    /// The total leaves with that packet.
    pub(super) fn on_credit_queued(&mut self, mark: Mark) {
        self.credit = Some(mark);
    }

    /// Nobody reads any more: what still comes is only counted.
    pub(super) fn discard(&mut self) {
        self.unwanted = true;
        self.place = None;
        if let Some(item) = &mut self.item {
            item.discard();
        }
    }

    pub(super) fn is_wanted(&self) -> bool {
        !self.unwanted
    }
}

/// Tells the sender how much it was granted in all.
pub(super) fn push_credit(id: StreamId, granted: u64, outbox: &mut Outbox) -> Mark {
    let granted = granted.to_le_bytes();
    let mut frame = frame(Kind::Credit, id, &granted);
    frame.flags |= super::wire::STREAM;
    outbox.push(&frame, Body::new())
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

fn frame(kind: Kind, id: StreamId, head: &[u8]) -> OutFrame<'_> {
    let flags = match id.opener {
        Opener::ThisEnd => OPENER,
        Opener::Peer => 0,
    };
    OutFrame {
        kind,
        flags,
        call: id.call,
        head,
        extensions: &[],
        deadline: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CALL: CallId = CallId {
        slot: 0,
        generation: 1,
    };

    #[test]
    fn credit_comes_back_by_halves_and_never_locks_up() {
        let (mut sender, mut receiver) = (Window::new(256), ItemsIn::new(256));
        let outbox = Outbox::new(4096, 0);
        let all = UnderWay::new(0);
        let mut told = 0;
        for _ in 0..1000 {
            assert!(sender.charge(cost(10)), "all that was sent was taken");
            assert_eq!(receiver.handle_item(CALL, None, &[0; 10], 100, &all), Ok(true));
            if receiver.take(cost(10)) {
                let CreditDue::Now(granted) = receiver.credit_due(&outbox) else {
                    panic!("none was told before");
                };
                sender.raise(granted);
                told += 1;
            }
        }
        assert!(
            (400..=580).contains(&told),
            "{told} credits for 74,000 bytes by 128"
        );
    }

    #[test]
    fn items_that_nobody_wants_are_counted() {
        let mut receiver = ItemsIn::new(100);
        let all = UnderWay::new(0);
        assert_eq!(
            receiver.handle_item(CALL, Some(50), &[0; 20], 100, &all),
            Ok(false)
        );
        receiver.discard();
        assert!(matches!(
            receiver.handle_fragment(CALL, &[0; 30], false),
            Ok(None)
        ));
        assert_eq!(
            receiver.handle_item(CALL, None, &[], 100, &all),
            Err(ProtocolError::ItemCreditOverrun { call: CALL })
        );
    }
}
