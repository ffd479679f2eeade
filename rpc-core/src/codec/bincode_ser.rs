//! What bincode can write: a body without names and without ends, so everything is counted beforehand.

use super::error::{EncodeErrorKind, Unsupported};
use super::guard_rules::{Allowed, Rules};
use super::variant;

/// The same at each place.
#[derive(Clone, Copy)]
pub(super) struct BincodeRules;

impl Rules for BincodeRules {
    #[inline]
    fn check_skipped(self, field: &'static str) -> Allowed<()> {
        Err(Unsupported::SkipSerializingIf { field }.into())
    }

    #[inline]
    fn tag(self, name: &'static str, index: u32, variant: &str) -> Allowed<u32> {
        variant::tag(index, variant).ok_or(EncodeErrorKind::TooManyVariants { name, index })
    }

    #[inline]
    fn announced(self, len: Option<usize>, unknown: Unsupported) -> Allowed<usize> {
        len.ok_or(unknown.into())
    }

    #[inline]
    fn check_length(self, announced: usize, found: usize) -> Allowed<()> {
        if announced == found {
            return Ok(());
        }
        Err(EncodeErrorKind::LengthMismatch { announced, found })
    }
}
