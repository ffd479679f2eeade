//! The slots of one direction of calls: those of depth 0, and behind them those of nested calls.

use super::agreed::Limits;

/// One entry a slot, made when the slot is first used.
#[derive(Debug)]
pub(crate) struct Slots<T> {
    plain: Vec<T>,
    nested: Vec<T>,
    limits: Limits,
}

impl<T: Default> Slots<T> {
    pub(crate) fn new(limits: Limits) -> Self {
        Self {
            plain: Vec::new(),
            nested: Vec::new(),
            limits,
        }
    }

    /// The entry of a slot within the limits, made if it is not there yet.
    pub(crate) fn entry(&mut self, slot: u32) -> Option<&mut T> {
        let (lane, index) = match slot.checked_sub(self.limits.max_calls) {
            None => (&mut self.plain, slot),
            Some(index) if index < self.limits.max_nested => (&mut self.nested, index),
            Some(_) => return None,
        };
        let index = index as usize;
        if index >= lane.len() {
            lane.resize_with(index + 1, T::default);
        }
        lane.get_mut(index)
    }

    /// The entry of a slot that was used before.
    pub(crate) fn get(&mut self, slot: u32) -> Option<&mut T> {
        match slot.checked_sub(self.limits.max_calls) {
            None => self.plain.get_mut(slot as usize),
            Some(index) => self.nested.get_mut(index as usize),
        }
    }

    /// The next slot that was never used.
    pub(super) fn fresh(&mut self, nested: bool) -> Option<u32> {
        let (used, base, limit) = match nested {
            false => (self.plain.len(), 0, self.limits.max_calls),
            true => (self.nested.len(), self.limits.max_calls, self.limits.max_nested),
        };
        let index = u32::try_from(used).ok().filter(|index| *index < limit)?;
        let slot = base.checked_add(index)?;
        self.entry(slot).map(|_| slot)
    }

    pub(super) fn is_nested(&self, slot: u32) -> bool {
        slot >= self.limits.max_calls
    }

    /// The entries of every slot that was used.
    pub(crate) fn values_mut(&mut self) -> impl Iterator<Item = &mut T> {
        self.plain.iter_mut().chain(&mut self.nested)
    }

    /// Every slot that was used, with its entry.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (u32, &T)> {
        let plain = (0..).zip(&self.plain);
        plain.chain((self.limits.max_calls..).zip(&self.nested))
    }
}
