//! The memory of small bodies, which each thread keeps for the next ones.
//!
//! A body is moved some twenty times on its way through queues, layers and futures. With its bytes inside of it, these
//! moves were a sixth of the time that a call of 64 bytes takes; so it holds a pointer, and the memory is used again.
#![allow(
    clippy::missing_const_for_thread_local,
    reason = "it is const; clippy does not see it for windows-gnu"
)]

use std::cell::RefCell;
use std::ops::Deref;

/// How many bytes a buffer has room for.
pub(super) const SIZE: usize = 128;

/// How many unused buffers a thread keeps, in all 128 KiB.
const MAX_SPARE: usize = 1024;

thread_local! {
    static SPARE: RefCell<Vec<Vec<u8>>> = const { RefCell::new(Vec::new()) };
}

/// At most [`SIZE`] bytes; the memory goes back to whichever thread drops it.
pub(super) struct SmallBuffer(Vec<u8>);

impl SmallBuffer {
    /// No bytes, and no room for any.
    pub(super) const fn none() -> Self {
        Self(Vec::new())
    }

    /// A buffer with a copy of `bytes`. `None`: there are too many.
    #[inline]
    pub(super) fn with(bytes: &[u8]) -> Option<Self> {
        match bytes.len() {
            0 => Some(Self::none()),
            1..=SIZE => {
                let mut space = Self::space();
                space.extend_from_slice(bytes);
                Some(Self(space))
            }
            _ => None,
        }
    }

    /// Memory to write a buffer's bytes into.
    #[inline]
    pub(super) fn space() -> Vec<u8> {
        let spare = SPARE.try_with(|spare| spare.borrow_mut().pop());
        // A thread that is ending keeps none.
        let spare = spare.ok().flatten();
        spare.unwrap_or_else(|| Vec::with_capacity(SIZE))
    }

    /// The buffer of what was written there; back as it is if that was too much, and has memory of its own.
    #[inline]
    pub(super) fn of(bytes: Vec<u8>) -> Result<Self, Vec<u8>> {
        match bytes.len() {
            ..=SIZE => Ok(Self(bytes)),
            _ => Err(bytes),
        }
    }
}

impl Deref for SmallBuffer {
    type Target = [u8];

    #[inline]
    fn deref(&self) -> &[u8] {
        &self.0
    }
}

impl Clone for SmallBuffer {
    fn clone(&self) -> Self {
        let mut clone = Self::space();
        clone.extend_from_slice(self);
        Self(clone)
    }
}

impl Drop for SmallBuffer {
    #[inline]
    fn drop(&mut self) {
        if self.0.capacity() > 0 {
            let mut buffer = std::mem::take(&mut self.0);
            buffer.clear();
            // A thread that is ending keeps none.
            let _ = SPARE.try_with(|spare| {
                let mut spare = spare.borrow_mut();
                if spare.len() < MAX_SPARE {
                    spare.push(buffer);
                }
            });
        }
    }
}
