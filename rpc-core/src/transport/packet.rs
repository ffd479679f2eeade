//! Packets as they are received, in buffers that are used again.
#![allow(
    clippy::missing_const_for_thread_local,
    reason = "it is const; clippy does not see it for windows-gnu"
)]

use std::cell::Cell;
use std::fmt;
use std::io::IoSlice;
use std::ops::{Deref, DerefMut, Range};
use std::sync::Mutex;

/// How many unused buffers the process keeps; 32 are 3 MiB.
const MAX_SPARE: usize = 32;

static SPARE: Mutex<Vec<Box<[u8]>>> = Mutex::new(Vec::new());

/// How many more each thread keeps, so that threads which receive do not wait for each other: as many as a receiver
/// takes at once.
const MAX_NEAR: usize = 2;

thread_local! {
    static NEAR: [Cell<Option<Box<[u8]>>>; MAX_NEAR] = const { [const { Cell::new(None) }; MAX_NEAR] };
}

/// A buffer to receive into. Taken when there is something to read, given back when it is dropped, so that an idle
/// connection holds none.
pub struct PacketBuffer {
    bytes: Box<[u8]>,
}

impl PacketBuffer {
    /// The size of buffers that are used again, in bytes: what pipes have as their packets' limit unless told otherwise,
    /// or more.
    pub const REUSED: usize = 96 * 1024;

    /// Takes a buffer of at least `capacity` bytes, all initialised (to anything).
    #[must_use]
    pub fn take(capacity: usize) -> Self {
        if capacity > Self::REUSED {
            return Self {
                bytes: vec![0; capacity].into(),
            };
        }
        let near = NEAR.try_with(|near| near.iter().find_map(Cell::take));
        let spare = near.ok().flatten().or_else(|| spare().pop());
        Self {
            bytes: spare.unwrap_or_else(|| vec![0; Self::REUSED].into()),
        }
    }

    /// The packet that is the first `len` bytes of the buffer.
    ///
    /// # Panics
    /// If the buffer is smaller than `len`.
    #[must_use]
    #[inline]
    pub fn into_packet(self, len: usize) -> Packet {
        assert!(
            len <= self.bytes.len(),
            "a packet of {len} bytes in a buffer of {}",
            self.bytes.len()
        );
        Packet { buffer: self, len }
    }
}

impl Deref for PacketBuffer {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.bytes
    }
}

impl DerefMut for PacketBuffer {
    fn deref_mut(&mut self) -> &mut [u8] {
        &mut self.bytes
    }
}

impl Drop for PacketBuffer {
    fn drop(&mut self) {
        if self.bytes.len() != Self::REUSED {
            return;
        }
        let mut bytes = Some(std::mem::take(&mut self.bytes));
        // A thread that is ending has no buffers of its own any more.
        let _ = NEAR.try_with(|near| {
            for place in near {
                // The one that was used last is the next to be used, and what it displaces moves on.
                bytes = place.replace(bytes.take());
                if bytes.is_none() {
                    break;
                }
            }
        });
        let Some(bytes) = bytes else { return };
        let mut spare = spare();
        if spare.len() < MAX_SPARE {
            spare.push(bytes);
        }
    }
}

fn spare() -> std::sync::MutexGuard<'static, Vec<Box<[u8]>>> {
    SPARE.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

/// One received packet.
pub struct Packet {
    buffer: PacketBuffer,
    len: usize,
}

impl Packet {
    /// A packet with a copy of `bytes`, for transports that have no buffer to receive into.
    #[must_use]
    pub fn copy_from(bytes: &[u8]) -> Self {
        Self::gather(&[IoSlice::new(bytes)], bytes.len())
    }

    /// A packet with a copy of the slices, one after the other, `len` bytes in all.
    pub(super) fn gather(slices: &[IoSlice<'_>], len: usize) -> Self {
        let mut bytes = Vec::with_capacity(len);
        slices.iter().for_each(|slice| bytes.extend_from_slice(slice));
        PacketBuffer { bytes: bytes.into() }.into_packet(len)
    }

    /// Overwrites bytes that mean nothing any more, so that nobody relies on them.
    pub(super) fn wipe(&mut self, range: Range<usize>) {
        self.buffer[range].fill(0xee);
    }

    /// Overwrites the bytes from `at` on.
    pub(super) fn write(&mut self, at: usize, bytes: &[u8]) {
        self.buffer[at..at + bytes.len()].copy_from_slice(bytes);
    }
}

impl Deref for Packet {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.buffer[..self.len]
    }
}

impl AsRef<[u8]> for Packet {
    fn as_ref(&self) -> &[u8] {
        self
    }
}

impl fmt::Debug for Packet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Packet")
            .field("len", &self.len)
            .finish_non_exhaustive()
    }
}
