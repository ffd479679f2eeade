//! What a handler's task carries along for the calls it makes.
#![allow(
    clippy::missing_const_for_thread_local,
    reason = "it is const; clippy does not see it for windows-gnu"
)]

use std::cell::Cell;

use tokio::time::Instant;

use crate::proto::RequestHead;

thread_local! {
    /// Of the handler that this thread polls. A `tokio::task_local` would move what the handler returns three times.
    static AMBIENT: Cell<Option<Ambient>> = const { Cell::new(None) };
}

/// The deadline and the depth of the call whose handler is running; the calls it makes inherit them.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ambient {
    pub(crate) deadline: Option<Instant>,
    pub(crate) depth: u8,
}

impl Ambient {
    /// That of the handler of a call of the peer's.
    #[inline]
    pub(super) fn of(head: &RequestHead) -> Self {
        Self {
            deadline: head.deadline.map(Instant::from_std),
            depth: head.depth,
        }
    }

    /// That of the handler that is being polled, if one is.
    #[inline]
    pub(crate) fn current() -> Option<Self> {
        AMBIENT.get()
    }

    /// Runs `poll` as part of that call's handler.
    #[inline]
    pub(crate) fn scope<R>(self, poll: impl FnOnce() -> R) -> R {
        let _entered = self.enter();
        poll()
    }

    /// What runs until the guard is dropped is part of that call's handler.
    #[inline]
    pub(super) fn enter(self) -> Entered {
        Entered(AMBIENT.replace(Some(self)))
    }
}

/// Restores what was before, also when a handler panics.
pub(super) struct Entered(Option<Ambient>);

impl Drop for Entered {
    fn drop(&mut self) {
        AMBIENT.set(self.0);
    }
}
