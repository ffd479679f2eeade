//! The memory of small bodies, which each thread keeps for the next ones.
//!
//! A body is moved some twenty times on its way through queues, layers and futures. With its bytes inside of it, these
//! moves were a sixth of the time that a call of 64 bytes takes; so it holds a pointer, and the memory is used again.
#![allow(
    clippy::missing_const_for_thread_local,
    reason = "it is const; clippy does not see it for windows-gnu"
)]
#![allow(
    clippy::box_collection,
    clippy::vec_box,
    reason = "a body is moved often and written once: one word to move is worth a pointer to follow"
)]

use std::cell::RefCell;
use std::ops::Deref;

/// How many bytes a buffer has room for.
pub(super) const SIZE: usize = 128;

/// How many unused buffers a thread keeps, in all 152 KiB.
const MAX_SPARE: usize = 1024;

thread_local! {
    static SPARE: RefCell<Vec<Box<Vec<u8>>>> = const { RefCell::new(Vec::new()) };
}

/// At most [`SIZE`] bytes; the memory goes back to whichever thread drops it.
pub(super) struct SmallBuffer(Option<Box<Vec<u8>>>);

impl SmallBuffer {
    /// No bytes, and no room for any.
    #[inline]
    pub(super) const fn none() -> Self {
        Self(None)
    }

    /// A buffer with a copy of `bytes`. `None`: there are too many.
    #[inline]
    pub(super) fn with(bytes: &[u8]) -> Option<Self> {
        match bytes.len() {
            0 => Some(Self::none()),
            1..=SIZE => {
                let mut space = space();
                space.extend_from_slice(bytes);
                Some(Self(Some(space)))
            }
            _ => None,
        }
    }

    /// The memory, to write the buffer's bytes into.
    #[inline]
    pub(super) fn bytes_mut(&mut self) -> &mut Vec<u8> {
        self.0.get_or_insert_with(space)
    }

    /// What was written, if that is too much for a buffer; it has memory of its own then.
    #[inline]
    pub(super) fn take_large(&mut self) -> Option<Vec<u8>> {
        if self.len() <= SIZE {
            return None;
        }
        self.0.take().map(|bytes| *bytes)
    }
}

/// Memory for a buffer, with nothing in it.
#[inline]
fn space() -> Box<Vec<u8>> {
    let spare = SPARE.try_with(|spare| spare.borrow_mut().pop());
    // A thread that is ending keeps none.
    match spare {
        Ok(Some(spare)) => spare,
        _ => new_space(),
    }
}

#[cold]
fn new_space() -> Box<Vec<u8>> {
    Box::new(Vec::with_capacity(SIZE))
}

impl Deref for SmallBuffer {
    type Target = [u8];

    #[inline]
    fn deref(&self) -> &[u8] {
        self.0.as_deref().map_or(&[], Vec::as_slice)
    }
}

impl Clone for SmallBuffer {
    fn clone(&self) -> Self {
        Self::with(self).unwrap_or(Self::none())
    }
}

impl Drop for SmallBuffer {
    #[inline]
    fn drop(&mut self) {
        if let Some(buffer) = self.0.take() {
            give_back(buffer);
        }
    }
}

#[inline]
fn give_back(mut buffer: Box<Vec<u8>>) {
    // What was not finished may have outgrown its size.
    if buffer.capacity() > SIZE {
        return;
    }
    buffer.clear();
    // A thread that is ending keeps none.
    let _ = SPARE.try_with(|spare| {
        let mut spare = spare.borrow_mut();
        if spare.len() < MAX_SPARE {
            spare.push(buffer);
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_that_has_outgrown_its_size_is_not_kept() {
        let mut buffer = SmallBuffer::none();
        buffer.bytes_mut().resize(SIZE + 1, 0);
        drop(buffer);
        assert_eq!(space().capacity(), SIZE);
    }
}
