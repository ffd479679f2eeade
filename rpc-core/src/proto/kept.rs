//! Memory of large bodies that is kept for further ones, by all connections of the process: to touch the pages of a fresh
//! buffer costs about as much as to fill it.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError, TryLockError};

/// Buffers above this size, in bytes, are kept only while somebody wants it.
const VERY_LARGE: usize = 4 << 20;

/// How many bytes of unused buffers the process keeps.
const MOST: usize = 8 << 20;

/// The same while somebody wants very large ones.
const MOST_OF_VERY_LARGE: usize = 256 << 20;

static KEPT: Mutex<Kept> = Mutex::new(Kept::NOTHING);

/// Whether a buffer for so many bytes is kept only while there is a [`KeepVeryLarge`].
pub(super) fn is_very_large(bytes: u64) -> bool {
    bytes > VERY_LARGE as u64
}

/// While there is one of these, very large buffers are kept too.
#[derive(Debug)]
pub(super) struct KeepVeryLarge(());

impl KeepVeryLarge {
    pub(super) fn new() -> Self {
        lock().wanted += 1;
        Self(())
    }
}

impl Drop for KeepVeryLarge {
    fn drop(&mut self) {
        let unwanted = lock().want_less();
        // Not under the lock: the system may take back hundreds of MiB.
        drop(unwanted);
    }
}

/// An empty buffer that was used before, and has room for `total` bytes.
pub(super) fn take(total: usize) -> Option<Vec<u8>> {
    try_lock()?.take(total)
}

/// Keeps the buffer, if it is worth it.
pub(super) fn give(buffer: Vec<u8>) {
    let unwanted = try_lock().map(|mut kept| kept.give(buffer));
    drop(unwanted);
}

/// Unused buffers; the one used last is at the back.
struct Kept {
    buffers: VecDeque<Vec<u8>>,
    bytes: usize,
    /// How many want very large ones to be kept.
    wanted: usize,
}

impl Kept {
    const NOTHING: Self = Self {
        buffers: VecDeque::new(),
        bytes: 0,
        wanted: 0,
    };

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

    /// Keeps a buffer. What comes back is to be freed.
    fn give(&mut self, mut buffer: Vec<u8>) -> Vec<Vec<u8>> {
        if buffer.capacity() > VERY_LARGE && self.wanted == 0 {
            return vec![buffer];
        }
        buffer.clear();
        self.bytes += buffer.capacity();
        self.buffers.push_back(buffer);
        self.shrink()
    }

    /// One wants very large buffers no more. What comes back is to be freed.
    fn want_less(&mut self) -> Vec<Vec<u8>> {
        self.wanted -= 1;
        if self.wanted > 0 {
            return Vec::new();
        }
        let all = std::mem::take(&mut self.buffers);
        self.bytes = 0;
        all.into_iter().flat_map(|buffer| self.give(buffer)).collect()
    }

    /// Gives the oldest up, if there are too many.
    fn shrink(&mut self) -> Vec<Vec<u8>> {
        let most = if self.wanted > 0 { MOST_OF_VERY_LARGE } else { MOST };
        let mut oldest = Vec::new();
        while self.bytes > most {
            let Some(buffer) = self.buffers.pop_front() else {
                break;
            };
            self.bytes -= buffer.capacity();
            oldest.push(buffer);
        }
        oldest
    }
}

fn lock() -> MutexGuard<'static, Kept> {
    KEPT.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Nobody waits to save a buffer: without the lock it is made anew, or freed.
fn try_lock() -> Option<MutexGuard<'static, Kept>> {
    match KEPT.try_lock() {
        Ok(kept) => Some(kept),
        Err(TryLockError::Poisoned(poisoned)) => Some(poisoned.into_inner()),
        Err(TryLockError::WouldBlock) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_body_of_about_the_same_size_uses_the_buffer_again() {
        let mut kept = Kept::NOTHING;
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
        let mut kept = Kept::NOTHING;
        for size in 1..=100 {
            kept.give(Vec::with_capacity((1 << 20) + size));
        }
        assert!(kept.bytes <= MOST && kept.buffers.len() == 7);
        let mut buffers = kept.buffers.iter();
        assert!(buffers.all(|buffer| buffer.capacity() > (1 << 20) + 90));
    }

    #[test]
    fn very_large_ones_go_when_nobody_wants_them_any_more() {
        let mut kept = Kept::NOTHING;
        let very_large = || Vec::with_capacity(VERY_LARGE + 1);
        assert_eq!(kept.give(very_large()).len(), 1, "nobody wants it");
        kept.wanted = 2;
        kept.give(Vec::with_capacity(1000));
        (0..100).for_each(|_| drop(kept.give(very_large())));
        assert!((MOST..=MOST_OF_VERY_LARGE).contains(&kept.bytes));
        assert!(kept.want_less().is_empty(), "one wants them still");
        assert!(!kept.want_less().is_empty());
        assert!(kept.bytes <= 1000, "{}", kept.bytes);
    }
}
