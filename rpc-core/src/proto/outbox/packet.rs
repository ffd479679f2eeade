//! Packets as they leave.

use std::time::Instant;

use bytes::Bytes;

use super::super::call::remaining;

/// One packet to send: the bytes of `head`, then those of `tail`.
#[derive(Debug, Default)]
pub struct OutPacket {
    pub(super) head: Vec<u8>,
    /// A body that is sent from where it is.
    pub(super) tail: Option<Bytes>,
}

/// Where in a packet the remaining time of a request is to be written, and what it counts down to.
pub(super) type Deadline = (usize, Instant);

impl OutPacket {
    /// The bytes to send, in order.
    #[must_use]
    pub fn slices(&self) -> [std::io::IoSlice<'_>; 2] {
        [
            std::io::IoSlice::new(&self.head),
            std::io::IoSlice::new(self.tail.as_deref().unwrap_or_default()),
        ]
    }

    pub(crate) fn len(&self) -> usize {
        self.head.len() + self.tail.as_ref().map_or(0, Bytes::len)
    }

    /// Writes what is left of each deadline now that the packet leaves.
    #[inline]
    pub(super) fn stamp(&mut self, deadlines: &[Deadline], now: impl FnOnce() -> Instant) {
        if deadlines.is_empty() {
            return;
        }
        let now = now();
        for (at, deadline) in deadlines {
            self.head[*at..at + 8].copy_from_slice(&remaining(*deadline, now).to_le_bytes());
        }
    }

    /// Forgets what was sent, and keeps the buffer.
    #[inline]
    pub fn clear(&mut self) {
        self.head.clear();
        self.tail = None;
    }
}
