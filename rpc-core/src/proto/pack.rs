//! Small items of one stream, one behind the other in one piece of memory.
//!
//! An item of its own memory costs more to make and to drop than to copy. What is kept in a pack is charged item by item,
//! and a pack never has more memory than twice its items and their places.

/// Items in the order in which they were added, each to be taken once.
#[derive(Debug, Default)]
pub struct Pack {
    bytes: Vec<u8>,
    /// Where each item ends.
    ends: Vec<usize>,
    /// How many were taken, and where the next one begins.
    taken: usize,
    start: usize,
}

impl Pack {
    /// An item under this size is worth to be copied.
    pub(crate) const MAX_ITEM: usize = 4096 - 16;

    /// Adds an item.
    #[inline]
    pub fn push(&mut self, item: &[u8]) {
        self.bytes.extend_from_slice(item);
        self.ends.push(self.bytes.len());
    }

    /// Adds what `write` appends; or takes it back out, if that is `None`, fails, or is no small item, and hands it over.
    #[inline]
    pub(crate) fn push_with<E>(
        &mut self,
        write: impl FnOnce(&mut Vec<u8>) -> Result<(), E>,
    ) -> Result<Option<Vec<u8>>, E> {
        let start = self.bytes.len();
        let written = write(&mut self.bytes);
        if let Err(error) = written {
            self.bytes.truncate(start);
            return Err(error);
        }
        if self.bytes.len() - start < Self::MAX_ITEM {
            self.ends.push(self.bytes.len());
            return Ok(None);
        }
        Ok(Some(match start {
            // What is large is most often alone, and then not copied.
            0 => std::mem::take(&mut self.bytes),
            _ => self.bytes.split_off(start),
        }))
    }

    /// Takes the next item.
    #[inline]
    pub fn pop(&mut self) -> Option<&[u8]> {
        let end = *self.ends.get(self.taken)?;
        let item = &self.bytes[self.start..end];
        (self.taken, self.start) = (self.taken + 1, end);
        Some(item)
    }

    /// How many items are left.
    #[must_use]
    #[inline]
    pub fn len(&self) -> usize {
        self.ends.len() - self.taken
    }

    /// Whether no item is left.
    #[must_use]
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Forgets the items and keeps the memory.
    pub(crate) fn clear(&mut self) {
        self.bytes.clear();
        self.ends.clear();
        (self.taken, self.start) = (0, 0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn items_are_taken_as_they_were_added() {
        let mut pack = Pack::default();
        for item in [&b"one"[..], b"", b"three"] {
            pack.push(item);
        }
        assert_eq!(pack.pop(), Some(&b"one"[..]));
        assert_eq!(pack.len(), 2);
        assert_eq!(pack.pop(), Some(&b""[..]));
        pack.push(b"four");
        assert_eq!(pack.pop(), Some(&b"three"[..]));
        assert_eq!(pack.pop(), Some(&b"four"[..]));
        assert_eq!(pack.pop(), None);
        assert!(pack.is_empty());
    }

    #[test]
    fn what_fails_or_is_large_is_not_in_the_pack() {
        let mut pack = Pack::default();
        let mut write = |bytes: &[u8], result: Result<(), ()>| {
            pack.push_with(|space| {
                space.extend_from_slice(bytes);
                result
            })
        };
        assert_eq!(
            write(&[1; Pack::MAX_ITEM], Ok(())),
            Ok(Some(vec![1; Pack::MAX_ITEM]))
        );
        assert_eq!(write(b"small", Ok(())), Ok(None));
        assert_eq!(write(b"broken", Err(())), Err(()));
        assert_eq!(
            write(&[2; Pack::MAX_ITEM], Ok(())),
            Ok(Some(vec![2; Pack::MAX_ITEM]))
        );
        assert_eq!(pack.pop(), Some(&b"small"[..]));
        assert_eq!(pack.pop(), None);
    }
}
