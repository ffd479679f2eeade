//! A body that comes in fragments.

use super::Body;
use super::large_buffer::LargeBuffer;
use super::wire::HEADER;
use crate::transport::Landing;

/// Puts a body together. Its memory grows with what arrives, not with what was announced.
#[derive(Debug)]
pub(super) struct Assembly {
    total: usize,
    received: usize,
    /// Nobody wants the body any more: it is only counted.
    discarded: bool,
    bytes: LargeBuffer,
}

impl Assembly {
    pub(super) fn new(total: usize) -> Self {
        Self {
            total,
            received: 0,
            discarded: false,
            bytes: LargeBuffer::for_body(total),
        }
    }

    /// Adds a fragment, whose bytes may have landed already. False: the fragments do not add up to the declared total.
    pub(super) fn push(&mut self, part: &[u8], more: bool) -> bool {
        let len = self.received + part.len();
        if len > self.total || more == (len == self.total) || part.is_empty() {
            return false;
        }
        debug_assert!(
            self.discarded || self.bytes.len() >= self.received,
            "the memory is lent: the packet's landing is to come back with it"
        );
        let has_landed = self.bytes.len() > self.received;
        self.received = len;
        if !self.discarded && !has_landed {
            self.bytes.append(part, self.total);
        }
        true
    }

    /// Lends the memory out, for the next fragment to land in. `None`: nobody wants it, or far less has come than is
    /// to be lent.
    pub(super) fn lend(&mut self, max_packet: usize) -> Option<Landing> {
        let room = (max_packet - HEADER).min(self.total - self.received);
        if self.discarded || room > 2 * self.received {
            return None;
        }
        let bytes = self.bytes.take_for(room, self.total);
        Some(Landing::new(bytes, HEADER, room))
    }

    /// Takes the memory back, with the next fragment if that has landed.
    pub(super) fn take_back(&mut self, landing: Landing) {
        let bytes = landing.into_bytes().into();
        if !self.discarded {
            self.bytes = bytes;
        }
    }

    /// Forgets the body; its fragments are still to add up.
    pub(super) fn discard(&mut self) {
        self.discarded = true;
        self.bytes = LargeBuffer::default();
    }

    pub(super) fn finish(self) -> Body {
        self.bytes.into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fragments_must_add_up() {
        let mut assembly = Assembly::new(5);
        assert!(assembly.push(b"ab", true));
        assert!(assembly.push(b"cde", false));
        assert_eq!(assembly.finish().as_ref(), b"abcde");
        assert!(!Assembly::new(5).push(b"abcdef", true), "over the total");
        assert!(!Assembly::new(5).push(b"abcde", true), "more after the total");
        assert!(!Assembly::new(5).push(b"abcd", false), "no more before the total");
        assert!(!Assembly::new(5).push(b"", true), "an empty fragment");
    }

    #[test]
    fn a_fragment_that_has_landed_is_not_copied() {
        let mut assembly = Assembly::new(5);
        assert!(assembly.push(b"ab", true));
        let mut landing = assembly.lend(4096).unwrap();
        assert_eq!((landing.skip(), landing.room()), (HEADER, 3));
        landing.bytes_mut().extend_from_slice(b"cde");
        let place = landing.bytes_mut().as_ptr();
        assembly.take_back(landing);
        assert!(assembly.push(b"???", false));
        let body = assembly.finish().into_bytes();
        assert_eq!(body, "abcde");
        assert_eq!(body.as_ptr(), place);
    }

    #[test]
    fn a_body_that_was_discarded_while_its_memory_was_lent_is_only_counted() {
        let mut assembly = Assembly::new(7);
        assert!(assembly.push(b"abcd", true));
        let mut landing = assembly.lend(4096).unwrap();
        landing.bytes_mut().extend_from_slice(b"ef");
        assembly.discard();
        assembly.take_back(landing);
        assert!(assembly.push(b"ef", true));
        assert!(assembly.lend(4096).is_none());
        assert!(assembly.push(b"g", false));
    }

    #[test]
    fn no_more_is_lent_than_fits_what_has_come() {
        let mut assembly = Assembly::new(1 << 40);
        assert!(assembly.push(&[0; 100], true));
        assert!(assembly.lend(4096).is_none());
        assert!(assembly.push(&[0; 3900], true));
        assert_eq!(
            assembly
                .lend(4096)
                .map(|mut lent| lent.bytes_mut().capacity() <= 3 * 4096),
            Some(true)
        );
    }
}
