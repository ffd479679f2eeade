//! How much of large items may be half there, of all streams together. PROTOCOL.md section 7.1.
//!
//! No credit travels for it: the frames that begin and end an item tell both ends the same.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// Whether a further large item may begin while so many bytes are under way. One always may, and the last may go beyond.
pub(super) fn may_begin(under_way: u64, window: u64) -> bool {
    under_way == 0 || under_way < window
}

/// The large items that are arriving.
#[derive(Debug)]
pub(super) struct UnderWay {
    window: u64,
    bytes: Arc<AtomicU64>,
}

/// The place of one of them, which is free again when this is dropped: by whatever way the item comes to its end.
#[derive(Debug)]
pub(super) struct Place {
    size: u64,
    all: Arc<AtomicU64>,
}

impl UnderWay {
    pub(super) fn new(window: u64) -> Self {
        Self {
            window,
            bytes: Arc::default(),
        }
    }

    /// The place of an item of that size. `None`: too many are under way.
    pub(super) fn begin(&self, size: u64) -> Option<Place> {
        // Whoever has the connection is alone with it, so nobody comes in between.
        let under_way = self.bytes.load(Ordering::Relaxed);
        let grown = under_way.checked_add(size)?;
        if !may_begin(under_way, self.window) {
            return None;
        }
        self.bytes.store(grown, Ordering::Relaxed);
        let all = Arc::clone(&self.bytes);
        Some(Place { size, all })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.all.fetch_sub(self.size, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_item_may_go_beyond_and_then_none_until_there_is_a_place() {
        let items = UnderWay::new(10);
        let first = items.begin(9).unwrap();
        let second = items.begin(100).unwrap();
        assert!(items.begin(1).is_none());
        drop(second);
        assert!(items.begin(1).is_some());
        drop(first);
    }

    #[test]
    fn one_item_always_may() {
        let items = UnderWay::new(0);
        let only = items.begin(100).unwrap();
        assert!(items.begin(1).is_none());
        drop(only);
        assert!(items.begin(u64::MAX).is_some());
    }

    #[test]
    fn sizes_out_of_this_world_have_no_place() {
        let items = UnderWay::new(u64::MAX);
        let _first = items.begin(u64::MAX - 1).unwrap();
        assert!(items.begin(2).is_none());
    }
}
