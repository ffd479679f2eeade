//! How much of a stream is queued and has not left: bounded by this end, whatever the other one grants.

use super::outbox::{Mark, Outbox};

/// Half of what a stream may have queued, in bytes of credit.
const HALF: u64 = 128 << 10;

/// The items of one stream that are queued, in two halves: the newer one grows, the older one leaves.
#[derive(Debug, Default)]
pub(super) struct Unsent {
    newer: u64,
    newest: Option<Mark>,
    /// The last packet with items of the older half.
    older: Option<Mark>,
}

impl Unsent {
    /// An item is queued; it leaves with that packet.
    pub(super) fn add(&mut self, cost: u64, mark: Mark) {
        self.newer = self.newer.saturating_add(cost);
        self.newest = Some(mark);
    }

    /// How much more may be queued, or the packet that has to leave before.
    pub(super) fn left(&mut self, outbox: &Outbox) -> Result<u64, Mark> {
        if self.newer >= HALF {
            if let Some(older) = self.older.filter(|older| !outbox.has_left(*older)) {
                return Err(older);
            }
            (self.older, self.newer) = (self.newest.take(), 0);
        }
        Ok(HALF - self.newer)
    }
}
