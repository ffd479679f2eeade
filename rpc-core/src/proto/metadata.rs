//! What travels beside the arguments or the result: a small map of bytes. PROTOCOL.md section 4.

use std::fmt;

use super::error::ProtocolError;
use super::wire::split_tag;

/// The tag of the extension that carries one entry.
const METADATA: u16 = 1;

/// What surrounds an entry, in bytes: tag, length of the value, length of the key.
const AROUND: usize = 5;

/// A small map that travels beside the arguments of a call, or its result: keys are text, values are bytes. No entry
/// costs nothing.
///
/// It is for what layers tell each other (a trace, a tenant, a locale), not for arguments.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Metadata {
    /// A pointer and no more: few calls have entries, and all of them move this.
    entries: Option<Box<Entries>>,
}

/// One or more entries, as they go over the wire.
#[derive(Clone, PartialEq, Eq)]
struct Entries(Vec<u8>);

/// An entry that does not fit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum MetadataError {
    /// The key is empty or too long.
    #[error("a key of metadata has 1 to {} bytes, not {len}", Metadata::MAX_KEY)]
    Key {
        /// Its length in bytes.
        len: usize,
    },
    /// All entries together would be too large.
    #[error(
        "metadata of {size} bytes is over the limit of {}: what is large is an argument",
        Metadata::MAX_SIZE
    )]
    Size {
        /// Keys, values and five bytes an entry, in bytes.
        size: usize,
    },
}

impl Metadata {
    /// The longest key, in bytes.
    pub const MAX_KEY: usize = 64;

    /// How large all entries may be together, in bytes: their keys, their values, and five for each. With all around
    /// it, it fits the smallest packet.
    pub const MAX_SIZE: usize = 2048;

    /// No entries.
    #[must_use]
    pub const fn new() -> Self {
        Self { entries: None }
    }

    /// Sets an entry, in place of the one with the same key.
    ///
    /// # Errors
    /// If the key is empty or over [`MAX_KEY`](Self::MAX_KEY), or all would be over [`MAX_SIZE`](Self::MAX_SIZE): then
    /// nothing has changed.
    pub fn insert(&mut self, key: &str, value: impl AsRef<[u8]>) -> Result<(), MetadataError> {
        let value = value.as_ref();
        let len = key.len();
        let key_len = u8::try_from(len)
            .ok()
            .filter(|len| (1..=Self::MAX_KEY).contains(&usize::from(*len)));
        let key_len = key_len.ok_or(MetadataError::Key { len })?;
        let mut encoded = Vec::with_capacity(self.encoded().len() + AROUND + len + value.len());
        self.iter()
            .filter(|(known, _)| *known != key)
            .for_each(|(key, value)| push(&mut encoded, key.len() as u8, key, value));
        let size = encoded.len() + AROUND + len + value.len();
        if size > Self::MAX_SIZE {
            return Err(MetadataError::Size { size });
        }
        push(&mut encoded, key_len, key, value);
        *self = Self::of(encoded);
        Ok(())
    }

    /// The value under a key.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&[u8]> {
        self.iter()
            .find(|(known, _)| *known == key)
            .map(|(_, value)| value)
    }

    /// All entries.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &[u8])> {
        entries(self.encoded())
    }

    /// Whether there are no entries.
    #[must_use]
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.entries.is_none()
    }

    /// The entries as the extensions of a head.
    pub(super) fn encoded(&self) -> &[u8] {
        self.entries.as_ref().map_or(&[], |entries| &entries.0)
    }

    fn of(encoded: Vec<u8>) -> Self {
        let entries = (!encoded.is_empty()).then(|| Box::new(Entries(encoded)));
        Self { entries }
    }

    /// The entries among the extensions of a head. Those whose key is not UTF-8 are skipped, as unknown extensions are.
    pub(super) fn decode(extensions: &[u8]) -> Result<Self, ProtocolError> {
        if extensions.is_empty() {
            return Ok(Self::new());
        }
        let mut encoded = Vec::new();
        for (key, value) in entries(extensions) {
            push(&mut encoded, key.len() as u8, key, value);
        }
        if encoded.len() > Self::MAX_SIZE {
            let (size, limit) = (encoded.len(), Self::MAX_SIZE);
            return Err(ProtocolError::MetadataSize { size, limit });
        }
        Ok(Self::of(encoded))
    }
}

impl fmt::Debug for Metadata {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Values may be secrets.
        f.debug_set().entries(self.iter().map(|(key, _)| key)).finish()
    }
}

fn push(encoded: &mut Vec<u8>, key_len: u8, key: &str, value: &[u8]) {
    encoded.extend_from_slice(&METADATA.to_le_bytes());
    // At most MAX_SIZE, or what came in a field of this size.
    encoded.extend_from_slice(&((1 + key.len() + value.len()) as u16).to_le_bytes());
    encoded.push(key_len);
    encoded.extend_from_slice(key.as_bytes());
    encoded.extend_from_slice(value);
}

fn entries(mut rest: &[u8]) -> impl Iterator<Item = (&str, &[u8])> {
    std::iter::from_fn(move || {
        loop {
            let (tag, entry, after) = split_tag(rest)?;
            rest = after;
            if let (METADATA, Some(entry)) = (tag, entry_of(entry)) {
                return Some(entry);
            }
        }
    })
}

fn entry_of(entry: &[u8]) -> Option<(&str, &[u8])> {
    let (len, rest) = entry.split_first()?;
    let (key, value) = rest.split_at_checked(usize::from(*len))?;
    let is_key = (1..=Metadata::MAX_KEY).contains(&key.len());
    std::str::from_utf8(key)
        .ok()
        .filter(|_| is_key)
        .map(|key| (key, value))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_replaces_the_one_before() {
        let mut metadata = Metadata::new();
        metadata.insert("locale", "de").unwrap();
        metadata.insert("tenant", [0, 255]).unwrap();
        metadata.insert("locale", "pt").unwrap();
        assert_eq!(metadata.get("locale"), Some(&b"pt"[..]));
        assert_eq!(metadata.get("tenant"), Some(&[0, 255][..]));
        assert_eq!(metadata.get("none"), None);
        assert_eq!(Metadata::decode(metadata.encoded()), Ok(metadata));
    }

    #[test]
    fn what_does_not_fit_changes_nothing() {
        let mut metadata = Metadata::new();
        metadata.insert("kept", "value").unwrap();
        assert_eq!(metadata.insert("", "x"), Err(MetadataError::Key { len: 0 }));
        assert_eq!(
            metadata.insert(&"k".repeat(65), "x"),
            Err(MetadataError::Key { len: 65 })
        );
        let size = Metadata::MAX_SIZE + 1;
        let rest = size - 2 * AROUND - "keptvaluebig".len();
        assert_eq!(
            metadata.insert("big", vec![0; rest]),
            Err(MetadataError::Size { size })
        );
        assert_eq!(metadata.iter().collect::<Vec<_>>(), [("kept", &b"value"[..])]);
        metadata.insert("big", vec![0; rest - 1]).unwrap();
    }

    #[test]
    fn any_bytes_can_be_decoded() {
        let mut metadata = Metadata::new();
        metadata.insert("key", "value").unwrap();
        let whole = metadata.encoded().to_vec();
        for cut in 0..whole.len() {
            assert_eq!(Metadata::decode(&whole[..cut]), Ok(Metadata::new()));
        }
        for (at, bit) in (0..whole.len()).flat_map(|at| (0..8).map(move |bit| (at, bit))) {
            let mut flipped = whole.clone();
            flipped[at] ^= 1 << bit;
            assert!(Metadata::decode(&flipped).is_ok());
        }
    }
}
