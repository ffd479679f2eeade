//! What stands for a variant in a body: its index, and a check of its name.
//!
//! The index alone is not enough. serde counts skipped variants when it writes one and leaves them out when it reads,
//! so that each variant after a skipped one would be taken for the next.

use crate::method::wire_id;

/// The number that stands for the variant: its index below, 16 bits of its name's hash above. `None` if the index is
/// too large.
#[inline]
pub(super) fn tag(index: u32, name: &str) -> Option<u32> {
    let index = u16::try_from(index).ok()?;
    Some(u32::from(index) | u32::from(name_check(name)) << 16)
}

/// The name among `variants` that `tag` stands for. `variants` has aliases too, so that the index is only where to
/// look first.
#[inline]
pub(super) fn name_of(tag: u32, variants: &'static [&'static str]) -> Option<&'static str> {
    let check = (tag >> 16) as u16;
    match variants.get(index_of(tag) as usize) {
        Some(name) if name_check(name) == check => Some(name),
        _ => search(check, variants),
    }
}

#[cold]
fn search(check: u16, variants: &'static [&'static str]) -> Option<&'static str> {
    variants.iter().copied().find(|name| name_check(name) == check)
}

#[inline]
pub(super) fn index_of(tag: u32) -> u32 {
    tag & 0xffff
}

#[inline]
fn name_check(name: &str) -> u16 {
    let hash = wire_id(name);
    (hash ^ (hash >> 16)) as u16
}
