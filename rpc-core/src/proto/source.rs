//! A received packet that bodies are taken out of.

use bytes::Bytes;

use super::Body;
use super::wire::Frame;

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
    pub(super) fn bytes(&self) -> &[u8] {
        match self {
            Self::Owned(packet) => packet.as_ref(),
            Self::Shared(packet) => packet,
        }
    }

    pub(super) fn body(self, frame: &Frame) -> (Body, Self) {
        self.body_from(COPY_OUT, frame)
    }

    /// The body of an item, which is charged its own size: it never keeps much more than that.
    pub(super) fn item(self, frame: &Frame) -> (Body, Self) {
        self.body_from(COPY_OUT_ITEM, frame)
    }

    fn body_from(self, smallest: usize, frame: &Frame) -> (Body, Self) {
        if frame.body.len() < smallest {
            return (Body::copy_from(&self.bytes()[frame.body.clone()]), self);
        }
        let bytes = match self {
            Self::Owned(packet) => Bytes::from_owner(packet),
            Self::Shared(packet) => packet,
        };
        (bytes.slice(frame.body.clone()).into(), Self::Shared(bytes))
    }
}
