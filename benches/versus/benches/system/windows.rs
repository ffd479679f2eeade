//! Windows. It is measured under Wine, where only ratios of times mean something: what Wine's own server does is told as
//! nobody's processor time.

use std::path::{Path, PathBuf};
use std::time::Duration;

/// Nothing: Wine's server, which all calls go through, would be elsewhere anyway.
pub(crate) fn pin_to_first_cpu() {}

/// There is no limit to be raised.
pub(crate) fn raise_file_limit() -> u64 {
    u64::MAX
}

/// Not told.
pub(crate) fn resident_memory(_process: u32) -> Option<u64> {
    None
}

/// Tells nothing.
pub(crate) struct CpuClock;

impl CpuClock {
    pub(crate) fn of(_process: u32) -> Self {
        Self
    }

    pub(crate) fn now(&self) -> Option<Duration> {
        None
    }
}

/// A pipe of that name: it is in no folder.
pub(crate) fn place_path(_folder: &Path, name: &str) -> PathBuf {
    PathBuf::from(format!(r"\\.\pipe\versus-{name}"))
}
