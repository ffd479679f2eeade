//! When a future is dropped.

use std::fmt;

/// When a future is dropped: between which two polls, and at which end of the time between.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Moment {
    /// At once after that many polls, before anything else runs; after none it is never polled.
    After(usize),
    /// When it is woken after that many polls, in place of the next one: what it waited for is there and not taken.
    Woken(usize),
}

impl Moment {
    /// Every moment, in order.
    pub(super) fn all() -> impl Iterator<Item = Self> {
        let later = (1..).flat_map(|polls| [Self::After(polls), Self::Woken(polls)]);
        std::iter::once(Self::After(0)).chain(later)
    }

    /// How many polls come before it.
    #[must_use]
    pub fn polls(self) -> usize {
        match self {
            Self::After(polls) | Self::Woken(polls) => polls,
        }
    }
}

/// `after poll 3`, or `when woken after poll 3`.
impl fmt::Display for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::After(0) => f.write_str("before its first poll"),
            Self::After(polls) => write!(f, "after poll {polls}"),
            Self::Woken(polls) => write!(f, "when woken after poll {polls}"),
        }
    }
}
