//! The encoded arguments or result of a call.

use std::fmt;
use std::io;
use std::sync::Arc;

use bytes::Bytes;

use super::large_buffer::LargeBuffer;

/// How many bytes a body holds without an allocation.
const INLINE: usize = 118;

/// The encoded arguments or result of a call: some bytes, small ones without an allocation. Cheap to clone.
#[derive(Clone)]
pub struct Body(Repr);

#[derive(Clone)]
enum Repr {
    Inline {
        len: u8,
        bytes: [u8; INLINE],
    },
    Shared(Bytes),
    /// Put together from fragments.
    Assembled(Arc<LargeBuffer>),
}

impl Body {
    /// How many bytes a body holds without an allocation.
    pub(crate) const INLINE: usize = INLINE;

    /// The empty body.
    #[must_use]
    #[inline]
    pub const fn new() -> Self {
        Self(Repr::Inline {
            len: 0,
            bytes: [0; INLINE],
        })
    }

    /// A body with a copy of `bytes`.
    #[must_use]
    pub fn copy_from(bytes: &[u8]) -> Self {
        let mut writer = BodyWriter::new();
        writer.write(bytes);
        writer.finish()
    }

    /// The body's bytes, without a copy unless they are few.
    #[must_use]
    pub fn into_bytes(self) -> Bytes {
        match self.0 {
            Repr::Inline { len, bytes } => Bytes::copy_from_slice(&bytes[..usize::from(len)]),
            Repr::Shared(bytes) => bytes,
            Repr::Assembled(buffer) => Bytes::from_owner(Assembled(buffer)),
        }
    }

    /// The body's bytes, without a copy if they came in fragments and nobody shares them.
    pub(crate) fn into_vec(self) -> Vec<u8> {
        match self.0 {
            Repr::Inline { len, bytes } => bytes[..usize::from(len)].to_vec(),
            Repr::Shared(bytes) => bytes.into(),
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
            Repr::Inline { len, .. } => usize::from(*len),
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
            Repr::Inline { len, bytes } => &bytes[..usize::from(*len)],
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
        Self(Repr::Shared(bytes))
    }
}

impl From<Vec<u8>> for Body {
    fn from(bytes: Vec<u8>) -> Self {
        Self(Repr::Shared(bytes.into()))
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

/// Gathers a body from pieces; allocates only when it outgrows the inline space.
pub struct BodyWriter(Writing);

enum Writing {
    Inline { len: u8, bytes: [u8; INLINE] },
    Spilled(Vec<u8>),
}

impl BodyWriter {
    /// A writer with nothing in it.
    #[must_use]
    #[inline]
    pub const fn new() -> Self {
        Self(Writing::Inline {
            len: 0,
            bytes: [0; INLINE],
        })
    }

    /// Appends `more`.
    #[inline]
    pub fn write(&mut self, more: &[u8]) {
        match &mut self.0 {
            Writing::Inline { len, bytes } => {
                let start = usize::from(*len);
                let end = start + more.len();
                if let Some(space) = bytes.get_mut(start..end) {
                    space.copy_from_slice(more);
                    // At most INLINE, which fits.
                    *len = end as u8;
                    return;
                }
                self.spill(more);
            }
            Writing::Spilled(spilled) => spilled.extend_from_slice(more),
        }
    }

    /// Goes on in allocated space, with `more`.
    #[cold]
    fn spill(&mut self, more: &[u8]) {
        if let Writing::Inline { len, bytes } = &self.0 {
            let bytes = &bytes[..usize::from(*len)];
            let mut spilled = Vec::with_capacity((bytes.len() + more.len()).max(4 * INLINE));
            spilled.extend_from_slice(bytes);
            spilled.extend_from_slice(more);
            self.0 = Writing::Spilled(spilled);
        }
    }

    /// How many bytes were written.
    #[must_use]
    #[inline]
    pub fn len(&self) -> usize {
        match &self.0 {
            Writing::Inline { len, .. } => usize::from(*len),
            Writing::Spilled(bytes) => bytes.len(),
        }
    }

    /// Whether nothing was written.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The body that was written.
    #[must_use]
    #[inline]
    pub fn finish(self) -> Body {
        match self.0 {
            Writing::Inline { len, bytes } => Body(Repr::Inline { len, bytes }),
            Writing::Spilled(bytes) => Body(Repr::Shared(bytes.into())),
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
    fn a_body_is_what_was_written_around_the_inline_size() {
        for len in [0, 1, INLINE - 1, INLINE, INLINE + 1, 1000] {
            let bytes: Vec<u8> = (0..len).map(|i| i as u8).collect();
            let mut writer = BodyWriter::new();
            bytes.chunks(7).for_each(|piece| writer.write(piece));
            let body = writer.finish();
            assert_eq!(body.as_ref(), bytes);
            assert_eq!(body.into_bytes(), bytes);
        }
    }
}
