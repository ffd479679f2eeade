//! Buffers for large bodies, used again: to touch the pages of a fresh one costs about as much as to fill it.

use std::collections::VecDeque;
use std::sync::{Mutex, TryLockError};

/// The largest buffer that is kept, in bytes.
const LARGEST_KEPT: usize = 4 << 20;

/// How many bytes of unused buffers the process keeps.
const MAX_KEPT: usize = 8 << 20;

static KEPT: Mutex<Kept> = Mutex::new(Kept {
    buffers: VecDeque::new(),
    bytes: 0,
});

/// Unused buffers; the one used last is at the back.
struct Kept {
    buffers: VecDeque<Vec<u8>>,
    bytes: usize,
}

/// A growing buffer. Dropped, it is kept for another body.
#[derive(Debug, Default)]
pub(super) struct LargeBuffer(Vec<u8>);

impl LargeBuffer {
    /// The smallest buffer that is kept, in bytes.
    pub(super) const SMALLEST_KEPT: usize = 64 << 10;

    /// An empty buffer for `total` bytes: one that was used before, or one without any memory yet.
    pub(super) fn for_body(total: usize) -> Self {
        Self(with_kept(|kept| kept.take(total)).flatten().unwrap_or_default())
    }

    /// Appends `part` to a buffer that will hold `total` bytes. Its memory is at most twice what was appended, or has
    /// been the process's before.
    pub(super) fn append(&mut self, part: &[u8], total: usize) {
        self.grow(part.len(), total);
        self.0.extend_from_slice(part);
    }

    /// Takes the bytes, with room for `more` of the `total` that they are to be.
    pub(super) fn take_for(&mut self, more: usize, total: usize) -> Vec<u8> {
        self.grow(more, total);
        std::mem::take(&mut self.0)
    }

    /// How many bytes there are.
    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    fn grow(&mut self, more: usize, total: usize) {
        let bytes = &mut self.0;
        let len = bytes.len() + more;
        if len > bytes.capacity() {
            // Powers of two, so that a body of about the same size can use the buffer again.
            let whole = total.checked_next_power_of_two().unwrap_or(total);
            let wanted = (2 * bytes.len()).min(whole).max(len);
            bytes.reserve_exact(wanted - bytes.len());
        }
    }

    /// The bytes as the caller's own; they do not come back.
    pub(super) fn into_vec(mut self) -> Vec<u8> {
        std::mem::take(&mut self.0)
    }

    #[cfg(test)]
    pub(super) fn capacity(&self) -> usize {
        self.0.capacity()
    }
}

impl AsRef<[u8]> for LargeBuffer {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

impl From<Vec<u8>> for LargeBuffer {
    fn from(bytes: Vec<u8>) -> Self {
        Self(bytes)
    }
}

impl Drop for LargeBuffer {
    fn drop(&mut self) {
        if (Self::SMALLEST_KEPT..=LARGEST_KEPT).contains(&self.0.capacity()) {
            let bytes = std::mem::take(&mut self.0);
            with_kept(|kept| kept.give(bytes));
        }
    }
}

impl Kept {
    /// The smallest buffer that `total` bytes fit into, unless it is far larger.
    fn take(&mut self, total: usize) -> Option<Vec<u8>> {
        let fitting = self.buffers.iter().enumerate();
        let fitting =
            fitting.filter(|(_, buffer)| (total..=total.saturating_mul(4)).contains(&buffer.capacity()));
        let (at, _) = fitting.min_by_key(|(_, buffer)| buffer.capacity())?;
        let buffer = self.buffers.remove(at)?;
        self.bytes -= buffer.capacity();
        Some(buffer)
    }

    fn give(&mut self, mut buffer: Vec<u8>) {
        buffer.clear();
        self.bytes += buffer.capacity();
        self.buffers.push_back(buffer);
        while self.bytes > MAX_KEPT {
            let oldest = self.buffers.pop_front().unwrap_or_default();
            self.bytes -= oldest.capacity();
        }
    }
}

/// Nobody waits for the lock: without it a buffer is made anew, or freed.
fn with_kept<T>(f: impl FnOnce(&mut Kept) -> T) -> Option<T> {
    match KEPT.try_lock() {
        Ok(mut kept) => Some(f(&mut kept)),
        Err(TryLockError::Poisoned(poisoned)) => Some(f(&mut poisoned.into_inner())),
        Err(TryLockError::WouldBlock) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kept() -> Kept {
        Kept {
            buffers: VecDeque::new(),
            bytes: 0,
        }
    }

    #[test]
    fn a_body_of_about_the_same_size_uses_the_buffer_again() {
        let mut kept = kept();
        kept.give(Vec::with_capacity(4000));
        kept.give(Vec::with_capacity(1000));
        assert_eq!(kept.take(900).map(|buffer| buffer.capacity()), Some(1000));
        assert!(kept.take(900).is_none(), "far larger");
        assert!(kept.take(4001).is_none(), "too small");
        assert_eq!(kept.take(2000).map(|buffer| buffer.capacity()), Some(4000));
        assert_eq!(kept.bytes, 0);
    }

    #[test]
    fn the_oldest_go_when_there_are_too_many() {
        let mut kept = kept();
        for size in 1..=100 {
            kept.give(Vec::with_capacity((1 << 20) + size));
        }
        assert!(kept.bytes <= MAX_KEPT && kept.buffers.len() == 7);
        assert!(
            kept.buffers
                .iter()
                .all(|buffer| buffer.capacity() > (1 << 20) + 90)
        );
    }

    #[test]
    fn memory_grows_with_what_arrives() {
        let mut buffer = LargeBuffer::for_body(1 << 40);
        buffer.append(&[0; 1000], 1 << 40);
        assert!(buffer.capacity() <= 2000);
    }
}
