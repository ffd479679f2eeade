//! The keys of one object, none of them twice: a map would keep the last value and lose the others in silence.

use std::cell::RefCell;
use std::collections::HashSet;

use super::error::DecodeErrorKind;
use super::json::shortened;

/// How much of a key an error shows, in bytes.
const SHOWN: usize = 100;

/// The keys of one object that were read so far.
#[derive(Default)]
pub(super) struct Keys(RefCell<HashSet<Box<str>>>);

impl Keys {
    /// Takes the next key of the object.
    pub(super) fn add(&self, key: String) -> Result<(), DecodeErrorKind> {
        let mut seen = self.0.borrow_mut();
        if seen.contains(key.as_str()) {
            let key = shortened(key, SHOWN);
            return Err(DecodeErrorKind::DuplicateKey { key });
        }
        seen.insert(key.into());
        Ok(())
    }
}
