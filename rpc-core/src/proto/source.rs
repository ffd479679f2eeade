//! A received packet that bodies are taken out of.

use std::ops::Range;

use bytes::Bytes;

use super::Body;

/// Bodies under this size are copied out of their packet, so that a kept one never pins it.
const COPY_OUT: usize = 4096;

/// The same for items, of which more may be kept: half of the buffer that a packet is received into.
const COPY_OUT_ITEM: usize = 48 * 1024;

/// A packet that is shared only when a body in it is worth it.
pub(super) enum Source<P> {
    Owned(P),
    Shared(Bytes),
}

impl<P: AsRef<[u8]> + Send + 'static> Source<P> {
    #[inline]
    pub(super) fn bytes(&self) -> &[u8] {
        match self {
            Self::Owned(packet) => packet.as_ref(),
            Self::Shared(packet) => packet,
        }
    }

    /// The body of a call, which lies there.
    #[inline]
    pub(super) fn body(&mut self, place: Range<usize>) -> Body {
        if place.len() < COPY_OUT {
            Body::copy_from(&self.bytes()[place])
        } else {
            self.share(place)
        }
    }

    /// The body of an item, which is charged its own size: it never keeps much more than that.
    pub(super) fn item(&mut self, place: Range<usize>) -> Body {
        if place.len() < COPY_OUT_ITEM {
            Body::copy_from(&self.bytes()[place])
        } else {
            self.share(place)
        }
    }

    fn share(&mut self, place: Range<usize>) -> Body {
        let bytes = match std::mem::replace(self, Self::Shared(Bytes::new())) {
            Self::Owned(packet) => Bytes::from_owner(packet),
            Self::Shared(packet) => packet,
        };
        let body = bytes.slice(place).into();
        *self = Self::Shared(bytes);
        body
    }
}
