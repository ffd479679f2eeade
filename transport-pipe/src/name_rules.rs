//! What the systems allow in a name: pure functions, all of them tested on every system.
#![allow(dead_code)] // the other system's rules are only tested here

pub(crate) mod unix;
pub(crate) mod windows;

use crate::error::NameError;

/// What no plain name may be, on any system, so that a name that works on one works on all.
fn check_plain_anywhere(name: &str) -> Result<(), NameError> {
    if name.is_empty() {
        return Err(NameError::Empty);
    }
    if name.contains('\0') {
        return Err(NameError::Nul);
    }
    if let Some(separator) = name.chars().find(|c| matches!(c, '/' | '\\')) {
        let name = name.to_owned();
        return Err(NameError::Separator { name, separator });
    }
    if matches!(name, "." | "..") {
        return Err(NameError::Dots {
            name: name.to_owned(),
        });
    }
    Ok(())
}
