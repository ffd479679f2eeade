//! A body that comes in fragments.

use super::Body;

/// Puts a body together. Its memory grows with what arrives, not with what was announced.
#[derive(Debug)]
pub(super) struct Assembly {
    total: usize,
    received: usize,
    /// Nobody wants the body any more: it is only counted.
    discarded: bool,
    bytes: Vec<u8>,
}

impl Assembly {
    pub(super) fn new(total: usize) -> Self {
        Self {
            total,
            received: 0,
            discarded: false,
            bytes: Vec::new(),
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
        if len > self.bytes.capacity() {
            let capacity = (2 * len).min(self.total);
            self.bytes.reserve_exact(capacity - self.bytes.len());
        }
        self.bytes.extend_from_slice(part);
        true
    }

    /// Forgets the body; its fragments are still to add up.
    pub(super) fn discard(&mut self) {
        self.discarded = true;
        self.bytes = Vec::new();
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
    fn memory_grows_with_what_arrives() {
        let mut assembly = Assembly::new(1 << 30);
        assert!(assembly.push(&[0; 1000], true));
        assert!(assembly.bytes.capacity() <= 2000);
    }
}
