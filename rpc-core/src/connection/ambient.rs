//! What a handler's task carries along for the calls it makes.

use tokio::time::Instant;

tokio::task_local! {
    static AMBIENT: Ambient;
}

/// The deadline and the depth of the call whose handler is running; the calls it makes inherit them.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ambient {
    pub(crate) deadline: Option<Instant>,
    pub(crate) depth: u8,
}

impl Ambient {
    /// That of the handler that is being polled, if one is.
    pub(crate) fn current() -> Option<Self> {
        AMBIENT.try_with(|ambient| *ambient).ok()
    }

    /// Runs `poll` as part of that call's handler.
    pub(crate) fn scope<R>(self, poll: impl FnOnce() -> R) -> R {
        AMBIENT.sync_scope(self, poll)
    }
}
