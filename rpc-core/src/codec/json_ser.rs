//! What JSON can write, and does not write as something else.

use super::error::EncodeErrorKind;
use super::guard_rules::{Allowed, Rules};

/// What a value is to the one around it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    Value,
    /// The content of a `Some`, which JSON does not show. A newtype struct is shown as little, so that its value is what
    /// it is itself.
    InSome,
    /// A key of an object.
    Key,
}

impl Rules for Place {
    #[inline]
    fn in_some(self) -> Self {
        match self {
            Self::Key => Self::Key,
            Self::Value | Self::InSome => Self::InSome,
        }
    }

    #[inline]
    fn of_key(self) -> Self {
        Self::Key
    }

    #[inline]
    fn of_parts(self) -> Allowed<Self> {
        self.check_no_key()?;
        Ok(Self::Value)
    }

    #[inline]
    fn check_null(self) -> Allowed<()> {
        match self {
            Self::Value => Ok(()),
            Self::InSome => Err(EncodeErrorKind::NullInSome),
            Self::Key => Err(EncodeErrorKind::MapKey),
        }
    }

    #[inline]
    fn check_float(self, is_finite: bool) -> Allowed<()> {
        if is_finite {
            return Ok(());
        }
        Err(EncodeErrorKind::NotFinite)
    }

    #[inline]
    fn check_bytes(self) -> Allowed<()> {
        self.check_no_key()
    }
}

impl Place {
    #[inline]
    fn check_no_key(self) -> Allowed<()> {
        match self {
            Self::Key => Err(EncodeErrorKind::MapKey),
            Self::Value | Self::InSome => Ok(()),
        }
    }
}
