//! The memory of one operation: small and its own for most packets, a pooled one for the rest.

use std::io::IoSlice;

use rpc_core::transport::{DEFAULT_MAX_PACKET, Packet, PacketBuffer};

/// How many bytes an idle reader keeps ready. A page holds nearly every small call, so that those take one system
/// call; what is larger takes one more, which costs little beside its bytes.
pub(super) const SMALL: usize = 4096;

/// The memory of one operation.
pub(super) enum Buffer {
    Empty,
    Small(Box<[u8]>),
    Large(PacketBuffer),
}

impl Buffer {
    /// A small one, for a read to wait in.
    pub(super) fn small() -> Self {
        Self::Small(vec![0; SMALL].into())
    }

    /// Copies a packet of `len` bytes in, in the smallest buffer that holds it.
    pub(super) fn load(&mut self, packet: &[IoSlice<'_>], len: usize) {
        match self {
            Self::Small(_) if len <= SMALL => {}
            _ if len <= SMALL => *self = Self::small(),
            _ => *self = Self::Large(PacketBuffer::take(len)),
        }
        let mut rest = self.bytes();
        for slice in packet {
            let (place, after) = rest.split_at_mut(slice.len());
            place.copy_from_slice(slice);
            rest = after;
        }
    }

    /// Makes room for the beginning of a message of at most `limit` bytes, or most likely for all of one that is large.
    pub(super) fn prepare(&mut self, is_large: bool, limit: usize) {
        match self {
            Self::Large(_) => {}
            _ if is_large && limit > SMALL => self.grow(0, limit),
            Self::Small(_) => {}
            Self::Empty => *self = Self::small(),
        }
    }

    /// Gives a pooled buffer back, so that an idle pipe holds none.
    pub(super) fn trim(&mut self) {
        if matches!(self, Self::Large(_)) {
            *self = Self::Empty;
        }
    }

    /// Makes room after the first `filled` bytes, which stay, for a message of at most `limit` bytes.
    pub(super) fn grow(&mut self, filled: usize, limit: usize) {
        let capacity = match self {
            Self::Large(_) => limit,
            Self::Empty | Self::Small(_) => limit.min(DEFAULT_MAX_PACKET),
        };
        let mut larger = PacketBuffer::take(capacity);
        larger[..filled].copy_from_slice(&self.bytes()[..filled]);
        *self = Self::Large(larger);
    }

    /// The packet in the first `len` bytes. A small buffer stays for the next one.
    pub(super) fn take_packet(&mut self, len: usize) -> Packet {
        if let Self::Large(_) = self
            && let Self::Large(buffer) = std::mem::replace(self, Self::Empty)
        {
            return buffer.into_packet(len);
        }
        let mut buffer = PacketBuffer::take(len);
        buffer[..len].copy_from_slice(&self.bytes()[..len]);
        buffer.into_packet(len)
    }

    /// All of it.
    pub(super) fn bytes(&mut self) -> &mut [u8] {
        match self {
            Self::Empty => &mut [],
            Self::Small(bytes) => bytes,
            Self::Large(buffer) => buffer,
        }
    }
}
