//! Frames before they are in a packet.

use std::time::Instant;

use super::super::CallId;
use super::super::wire::{EXT, Kind};

/// A frame before it has its place in a packet.
pub(in crate::proto) struct OutFrame<'a> {
    pub(in crate::proto) kind: Kind,
    pub(in crate::proto) flags: u8,
    pub(in crate::proto) call: CallId,
    pub(in crate::proto) head: &'a [u8],
    pub(in crate::proto) extensions: &'a [u8],
    pub(in crate::proto) deadline: Option<Instant>,
}

impl<'a> OutFrame<'a> {
    /// A frame that belongs to no call.
    pub(in crate::proto) fn plain(kind: Kind, head: &'a [u8]) -> Self {
        Self {
            kind,
            flags: 0,
            call: CallId {
                slot: 0,
                generation: 0,
            },
            head,
            extensions: &[],
            deadline: None,
        }
    }

    #[inline]
    pub(super) fn head_len(&self) -> usize {
        self.head.len() + self.extensions.len()
    }

    #[inline]
    pub(super) fn flags_with_extensions(&self) -> u8 {
        if self.extensions.is_empty() {
            self.flags
        } else {
            self.flags | EXT
        }
    }
}
