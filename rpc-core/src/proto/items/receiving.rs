//! The half of a stream that receives: items are charged, put together, and paid back when they are taken.

use super::super::Body;
use super::super::assembly::Assembly;
use super::super::call::CallId;
use super::super::error::ProtocolError;
use super::super::outbox::{Mark, Outbox};
use super::super::under_way::{Place, UnderWay};
use super::super::window::Window;
use super::super::wire::{Kind, STREAM};
use super::{OVERHEAD, StreamId, frame};

/// A stream to this end.
#[derive(Debug)]
pub(in crate::proto) struct ItemsIn {
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
pub(in crate::proto) enum CreditDue {
    /// Not any more.
    No,
    /// Later: what was told last has not left.
    Later,
    /// This total.
    Now(u64),
}

impl ItemsIn {
    pub(in crate::proto) fn new(credit: u64) -> Self {
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
    pub(in crate::proto) fn handle_item(
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
    pub(in crate::proto) fn handle_fragment(
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
    pub(in crate::proto) fn assembly(&mut self) -> Option<&mut Assembly> {
        self.item.as_mut()
    }

    /// Whether the stream may be complete here: not in the middle of an item.
    pub(in crate::proto) fn is_between_items(&self) -> bool {
        self.item.is_none()
    }

    /// Items of that cost were taken by whoever reads them. True: the sender is to be told from now on.
    pub(in crate::proto) fn take(&mut self, cost: u64) -> bool {
        if self.unwanted {
            return false;
        }
        self.window.give_back(cost);
        let due = self.window.granted() - self.told >= self.step;
        due && !std::mem::replace(&mut self.listed, true)
    }

    /// What the sender is to be told now.
    pub(in crate::proto) fn credit_due(&mut self, outbox: &Outbox) -> CreditDue {
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
    pub(in crate::proto) fn on_credit_queued(&mut self, mark: Mark) {
        self.credit = Some(mark);
    }

    /// Nobody reads any more: what still comes is only counted.
    pub(in crate::proto) fn discard(&mut self) {
        self.unwanted = true;
        self.place = None;
        if let Some(item) = &mut self.item {
            item.discard();
        }
    }

    pub(in crate::proto) fn is_wanted(&self) -> bool {
        !self.unwanted
    }
}

/// Tells the sender how much it was granted in all.
pub(in crate::proto) fn push_credit(id: StreamId, granted: u64, outbox: &mut Outbox) -> Mark {
    let granted = granted.to_le_bytes();
    let mut frame = frame(Kind::Credit, id, &granted);
    frame.flags |= STREAM;
    outbox.push(&frame, Body::new())
}

#[cfg(test)]
mod tests {
    use super::super::cost;
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
