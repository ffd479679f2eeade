//! What is watched while a value is encoded or decoded: depth, number of elements, number of fields, the first fault.

use std::cell::Cell;

/// How many values may stand one inside another.
pub(super) const MAX_DEPTH: u8 = 128;

/// How many more elements all sequences and maps of a body may have than the body has bytes. An element that takes
/// bytes is paid for by them; this is for those that take none, of which eight bytes can announce 2^64.
const SPARE_ELEMENTS: u64 = 65_536;

/// How many elements the sequences and maps of a body of `len` bytes may have.
#[inline]
pub(super) fn max_elements(len: usize) -> u64 {
    (len as u64).saturating_add(SPARE_ELEMENTS)
}

/// How many more values may stand inside this one.
#[derive(Clone, Copy)]
pub(super) struct Levels(u8);

impl Levels {
    pub(super) const ALL: Self = Self(MAX_DEPTH);

    /// The levels left one value further in.
    #[inline]
    pub(super) fn down(self) -> Option<Self> {
        self.0.checked_sub(1).map(Self)
    }
}

/// The counts of one encoding or decoding, shared by all the guards of it. `K` is the kind of error.
pub(super) struct Meter<K> {
    fault: Cell<Option<K>>,
    elements: Cell<u64>,
    field_check: Cell<Option<u8>>,
}

impl<K> Meter<K> {
    #[inline]
    pub(super) fn new() -> Self {
        Self {
            fault: Cell::new(None),
            elements: Cell::new(0),
            field_check: Cell::new(None),
        }
    }

    /// Remembers why the value is refused; the first reason stays. It goes beside the serializer because that one's
    /// error can only carry text, and it counts even if a `Serialize` or `Deserialize` swallows the error.
    #[cold]
    pub(super) fn fault(&self, kind: K) {
        let first = self.fault.take().unwrap_or(kind);
        self.fault.set(Some(first));
    }

    #[inline]
    pub(super) fn take_fault(&self) -> Option<K> {
        self.fault.take()
    }

    /// Counts the elements of one sequence or map; how many there are by now.
    #[inline]
    pub(super) fn add_elements(&self, count: usize) -> u64 {
        let total = self.elements.get().saturating_add(count as u64);
        self.elements.set(total);
        total
    }

    #[inline]
    pub(super) fn elements(&self) -> u64 {
        self.elements.get()
    }

    /// Counts the fields of one struct, tuple struct or variant, when its last field is done.
    #[inline]
    pub(super) fn add_fields(&self, count: usize) {
        let check = self.field_check.get().unwrap_or(0);
        self.field_check
            .set(Some(check.wrapping_mul(31).wrapping_add(count as u8)));
    }

    /// The last byte of the body, if the value had anything with fields.
    ///
    /// serde tells neither side about a field that only the other side skips, and a body without names would then be
    /// read out of step, at times to a value that looks right.
    #[inline]
    pub(super) fn field_check(&self) -> Option<u8> {
        self.field_check.get()
    }
}
