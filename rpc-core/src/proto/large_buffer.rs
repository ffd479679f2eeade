//! The memory of a large body.

use super::kept;

/// A growing buffer. Dropped, it is kept for another body.
#[derive(Debug, Default)]
pub(super) struct LargeBuffer(Vec<u8>);

impl LargeBuffer {
    /// The smallest buffer that is kept, in bytes.
    pub(super) const SMALLEST_KEPT: usize = 64 << 10;

    /// An empty buffer for `total` bytes: one that was used before, or one without any memory yet.
    pub(super) fn for_body(total: usize) -> Self {
        Self(kept::take(total).unwrap_or_default())
    }

    /// Appends `part` to a buffer that will hold `total` bytes. Its memory is at most twice what was appended, or has
    /// been the process's before.
    pub(super) fn append(&mut self, part: &[u8], total: usize) {
        self.grow(part.len(), total);
        self.0.extend_from_slice(part);
    }

    /// Takes the bytes, with room for `more` of the `total` that they are to be.
    pub(super) fn take_for(&mut self, more: usize, total: usize) -> Vec<u8> {
        self.grow(more, total);
        std::mem::take(&mut self.0)
    }

    /// How many bytes there are.
    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    /// The bytes as the caller's own; they do not come back.
    pub(super) fn into_vec(mut self) -> Vec<u8> {
        std::mem::take(&mut self.0)
    }

    fn grow(&mut self, more: usize, total: usize) {
        let bytes = &mut self.0;
        let len = bytes.len() + more;
        if len > bytes.capacity() {
            // In coarse steps, so that a body of about the same size can use the buffer again.
            let step = total.checked_next_power_of_two().unwrap_or(1).div_ceil(8);
            let whole = total.checked_next_multiple_of(step).unwrap_or(total);
            let wanted = (2 * bytes.len()).min(whole).max(len);
            bytes.reserve_exact(wanted - bytes.len());
        }
    }
}

impl AsRef<[u8]> for LargeBuffer {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

impl From<Vec<u8>> for LargeBuffer {
    fn from(bytes: Vec<u8>) -> Self {
        Self(bytes)
    }
}

impl Drop for LargeBuffer {
    fn drop(&mut self) {
        if self.0.capacity() >= Self::SMALLEST_KEPT {
            kept::give(std::mem::take(&mut self.0));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_grows_with_what_arrives() {
        let mut buffer = LargeBuffer::for_body(1 << 40);
        buffer.append(&[0; 1000], 1 << 40);
        assert!(buffer.0.capacity() <= 2000);
    }
}
