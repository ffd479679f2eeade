//! The encoded arguments or result of a call.

use std::fmt;
use std::io;
use std::sync::Arc;

use bytes::Bytes;

use super::large_buffer::LargeBuffer;
use super::small_buffer::{SIZE, SmallBuffer};

/// The encoded arguments or result of a call: some bytes, small ones in memory that is used again. Cheap to move and to
/// clone.
#[derive(Clone)]
pub struct Body(Repr);

#[derive(Clone)]
enum Repr {
    Small(SmallBuffer),
    /// Boxed, so that the others are cheap to move.
    Shared(Box<Bytes>),
    /// Put together from fragments, or as large.
    Assembled(Arc<LargeBuffer>),
}

impl Body {
    /// How many bytes a body holds without an allocation of its own.
    pub(crate) const SMALL: usize = SIZE;

    /// The empty body.
    #[must_use]
    #[inline]
    pub const fn new() -> Self {
        Self(Repr::Small(SmallBuffer::none()))
    }

    /// A body with a copy of `bytes`.
    #[must_use]
    #[inline]
    pub fn copy_from(bytes: &[u8]) -> Self {
        match SmallBuffer::with(bytes) {
            Some(small) => Self(Repr::Small(small)),
            None => Self::from(Bytes::copy_from_slice(bytes)),
        }
    }

    /// The body's bytes, without a copy unless they are few.
    #[must_use]
    pub fn into_bytes(self) -> Bytes {
        match self.0 {
            Repr::Small(bytes) => Bytes::copy_from_slice(&bytes),
            Repr::Shared(bytes) => *bytes,
            Repr::Assembled(buffer) => Bytes::from_owner(Assembled(buffer)),
        }
    }

    /// The body's bytes, without a copy if they came in fragments and nobody shares them.
    pub(crate) fn into_vec(self) -> Vec<u8> {
        match self.0 {
            Repr::Small(bytes) => bytes.to_vec(),
            Repr::Shared(bytes) => (*bytes).into(),
            Repr::Assembled(buffer) => match Arc::try_unwrap(buffer) {
                Ok(buffer) => buffer.into_vec(),
                Err(shared) => (*shared).as_ref().to_vec(),
            },
        }
    }

    /// How many bytes the body has.
    #[must_use]
    #[inline]
    pub fn len(&self) -> usize {
        match &self.0 {
            Repr::Small(bytes) => bytes.len(),
            Repr::Shared(bytes) => bytes.len(),
            Repr::Assembled(buffer) => (**buffer).as_ref().len(),
        }
    }

    /// Whether the body has no bytes.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl AsRef<[u8]> for Body {
    #[inline]
    fn as_ref(&self) -> &[u8] {
        match &self.0 {
            Repr::Small(bytes) => bytes,
            Repr::Shared(bytes) => bytes,
            Repr::Assembled(buffer) => (**buffer).as_ref(),
        }
    }
}

impl Default for Body {
    fn default() -> Self {
        Self::new()
    }
}

impl From<Bytes> for Body {
    fn from(bytes: Bytes) -> Self {
        Self(Repr::Shared(Box::new(bytes)))
    }
}

impl From<Vec<u8>> for Body {
    /// The memory of a large one is used again, for bodies that come.
    fn from(bytes: Vec<u8>) -> Self {
        if bytes.capacity() < LargeBuffer::SMALLEST_KEPT {
            Bytes::from(bytes).into()
        } else {
            LargeBuffer::from(bytes).into()
        }
    }
}

impl From<LargeBuffer> for Body {
    fn from(buffer: LargeBuffer) -> Self {
        Self(Repr::Assembled(Arc::new(buffer)))
    }
}

/// A buffer that is shared as `Bytes`.
struct Assembled(Arc<LargeBuffer>);

impl AsRef<[u8]> for Assembled {
    fn as_ref(&self) -> &[u8] {
        (*self.0).as_ref()
    }
}

impl fmt::Debug for Body {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Body")
            .field("len", &self.len())
            .finish_non_exhaustive()
    }
}

/// Gathers a body from pieces; allocates only when it outgrows the space of a small one.
pub struct BodyWriter(SmallBuffer);

impl BodyWriter {
    /// A writer with nothing in it.
    #[must_use]
    #[inline]
    pub fn new() -> Self {
        Self(SmallBuffer::none())
    }

    /// Appends `more`.
    #[inline]
    pub fn write(&mut self, more: &[u8]) {
        self.bytes_mut().extend_from_slice(more);
    }

    /// What was written, to be written to.
    #[inline]
    pub(crate) fn bytes_mut(&mut self) -> &mut Vec<u8> {
        self.0.bytes_mut()
    }

    /// How many bytes were written.
    #[must_use]
    #[inline]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether nothing was written.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The body that was written.
    #[must_use]
    #[inline]
    pub fn finish(mut self) -> Body {
        match self.0.take_large() {
            None => Body(Repr::Small(self.0)),
            Some(large) => Bytes::from(large).into(),
        }
    }
}

impl Default for BodyWriter {
    fn default() -> Self {
        Self::new()
    }
}

impl io::Write for BodyWriter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        Self::write(self, bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_body_is_what_was_written_around_the_size_of_small_ones() {
        for len in [0, 1, SIZE - 1, SIZE, SIZE + 1, 1000] {
            let bytes: Vec<u8> = (0..len).map(|i| i as u8).collect();
            let mut writer = BodyWriter::new();
            bytes.chunks(7).for_each(|piece| writer.write(piece));
            let body = writer.finish();
            assert_eq!(body.as_ref(), bytes);
            assert_eq!(body.into_bytes(), bytes);
        }
    }
}
