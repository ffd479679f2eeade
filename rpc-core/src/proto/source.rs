//! A received packet that bodies are taken out of.

use std::ops::Range;

use bytes::Bytes;

use super::Body;
use super::frame::Frame;
use super::wire::Kind;

/// Bodies under this size are copied out of their packet, so that a kept one never pins it.
const COPY_OUT: usize = 4096;

/// The same for items, of which more may be kept: half of the buffer that a packet is received into.
const COPY_OUT_ITEM: usize = 48 * 1024;

/// A packet, which is shared only when a body in it is worth it.
#[derive(Clone, Copy)]
pub(super) struct Source<'p> {
    pub(super) bytes: &'p [u8],
    shared: Option<&'p Bytes>,
}

impl<'p> Source<'p> {
    /// One that bodies are copied out of.
    #[inline]
    pub(super) fn copied(bytes: &'p [u8]) -> Self {
        Self { bytes, shared: None }
    }

    pub(super) fn shared(packet: &'p Bytes) -> Self {
        Self {
            bytes: packet,
            shared: Some(packet),
        }
    }

    /// Whether the packet is to be shared before that frame of it is handled.
    #[inline]
    pub(super) fn is_to_be_shared_for(self, frame: &Frame) -> bool {
        frame.body_place().len() >= COPY_OUT && self.shared.is_none() && is_worth_sharing(frame)
    }

    /// The body of a call, which lies there.
    #[inline]
    pub(super) fn body(self, place: Range<usize>) -> Body {
        self.take(place, COPY_OUT)
    }

    /// The body of an item, which is charged its own size: it never keeps much more than that.
    pub(super) fn item(self, place: Range<usize>) -> Body {
        self.take(place, COPY_OUT_ITEM)
    }

    #[inline]
    fn take(self, place: Range<usize>, copy_out: usize) -> Body {
        match self.shared {
            Some(packet) if place.len() >= copy_out => packet.slice(place).into(),
            _ => Body::copy_from(&self.bytes[place]),
        }
    }
}

#[cold]
fn is_worth_sharing(frame: &Frame) -> bool {
    let size = frame.body_place().len();
    match frame.kind {
        Kind::Request | Kind::Response => size >= COPY_OUT && !frame.begins_body(),
        Kind::Item => size >= COPY_OUT_ITEM && !frame.begins_body(),
        _ => false,
    }
}
