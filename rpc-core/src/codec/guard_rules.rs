//! What the guard around a serializer asks of the codec: whether it can write a value so that it comes back as it was.

use super::error::{EncodeErrorKind, Unsupported};

/// Something, or why the codec cannot carry it.
pub(super) type Allowed<T> = Result<T, EncodeErrorKind>;

/// What one codec allows at one place of a value. By default that is everything, everywhere.
pub(super) trait Rules: Copy {
    /// The rules for what stands in a `Some` here.
    #[inline]
    fn in_some(self) -> Self {
        self
    }

    /// The rules for the keys of a map whose values stand here.
    #[inline]
    fn of_key(self) -> Self {
        self
    }

    /// The rules for the parts of a value here.
    #[inline]
    fn of_parts(self) -> Allowed<Self> {
        Ok(self)
    }

    /// A unit or a `None`.
    #[inline]
    fn check_null(self) -> Allowed<()> {
        Ok(())
    }

    #[inline]
    fn check_float(self, _is_finite: bool) -> Allowed<()> {
        Ok(())
    }

    #[inline]
    fn check_bytes(self) -> Allowed<()> {
        Ok(())
    }

    /// A field that `Serialize` leaves out.
    #[inline]
    fn check_skipped(self, _field: &'static str) -> Allowed<()> {
        Ok(())
    }

    /// What stands for a variant: its index, or something made of that and its name.
    #[inline]
    fn tag(self, _name: &'static str, index: u32, _variant: &str) -> Allowed<u32> {
        Ok(index)
    }

    /// How many parts `check_length` is to look for. `unknown` is why, if there is no telling.
    #[inline]
    fn announced(self, len: Option<usize>, _unknown: Unsupported) -> Allowed<usize> {
        Ok(len.unwrap_or_default())
    }

    /// All parts have come.
    #[inline]
    fn check_length(self, _announced: usize, _found: usize) -> Allowed<()> {
        Ok(())
    }
}
