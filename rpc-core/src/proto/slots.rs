//! The slots of one direction of calls: those of depth 0, and behind them those of nested calls.

use super::agreed::Limits;

/// One entry a slot, made when the slot is first used.
#[derive(Debug)]
#[repr(C)]
pub(crate) struct Slots<T> {
    max_calls: u32,
    max_nested: u32,
    plain: Vec<T>,
    nested: Vec<T>,
}

impl<T: Default> Slots<T> {
    pub(crate) fn new(limits: Limits) -> Self {
        Self {
            plain: Vec::new(),
            nested: Vec::new(),
            max_calls: limits.max_calls,
            max_nested: limits.max_nested,
        }
    }

    /// The entry of a slot within the limits, made if it is not there yet.
    #[inline]
    pub(crate) fn entry(&mut self, slot: u32) -> Option<&mut T> {
        let (lane, index) = match slot.checked_sub(self.max_calls) {
            None => (&mut self.plain, slot),
            Some(index) if index < self.max_nested => (&mut self.nested, index),
            Some(_) => return None,
        };
        let index = index as usize;
        if index >= lane.len() {
            reserve_first(lane);
            lane.resize_with(index + 1, T::default);
        }
        lane.get_mut(index)
    }

    /// The entry of a slot that was used before.
    #[inline]
    pub(crate) fn get(&mut self, slot: u32) -> Option<&mut T> {
        match slot.checked_sub(self.max_calls) {
            None => self.plain.get_mut(slot as usize),
            Some(index) => self.nested.get_mut(index as usize),
        }
    }

    /// The next slot that was never used.
    pub(super) fn fresh(&mut self, nested: bool) -> Option<u32> {
        let (used, base, limit) = match nested {
            false => (self.plain.len(), 0, self.max_calls),
            true => (self.nested.len(), self.max_calls, self.max_nested),
        };
        let index = u32::try_from(used).ok().filter(|index| *index < limit)?;
        let slot = base.checked_add(index)?;
        self.entry(slot).map(|_| slot)
    }

    #[inline]
    pub(crate) fn is_nested(&self, slot: u32) -> bool {
        slot >= self.max_calls
    }

    /// The entries of every slot that was used.
    pub(crate) fn values_mut(&mut self) -> impl Iterator<Item = &mut T> {
        self.plain.iter_mut().chain(&mut self.nested)
    }

    /// Every slot that was used, with its entry.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (u32, &T)> {
        let plain = (0..).zip(&self.plain);
        plain.chain((self.max_calls..).zip(&self.nested))
    }
}

/// Makes room for one where there is none: most connections never have a second call open, and a list's own first room is
/// for four.
pub(crate) fn reserve_first<T>(list: &mut Vec<T>) {
    if list.capacity() == 0 {
        list.reserve_exact(1);
    }
}
