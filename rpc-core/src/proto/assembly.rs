//! A body that comes in fragments.

use super::Body;
use super::large_buffer::LargeBuffer;

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

    /// Adds a fragment. False: the fragments do not add up to the declared total.
    pub(super) fn push(&mut self, part: &[u8], more: bool) -> bool {
        let len = self.received + part.len();
        if len > self.total || more == (len == self.total) || part.is_empty() {
            return false;
        }
        self.received = len;
        if self.discarded {
            return true;
        }
        self.bytes.append(part, self.total);
        true
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
}
