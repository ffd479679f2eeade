//! How many system calls each thread has made on pipes, for tests that hold their number down.

use std::cell::Cell;

/// The system calls on pipes that keep packets apart by themselves.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SystemCalls {
    /// Those that send, whatever came of it.
    pub sends: u64,
    /// Those that receive, whatever came of it.
    pub receives: u64,
}

thread_local! {
    static MADE: Cell<SystemCalls> = const { Cell::new(SystemCalls { sends: 0, receives: 0 }) };
}

impl SystemCalls {
    /// Those that this thread has made so far.
    #[must_use]
    pub fn of_this_thread() -> Self {
        MADE.get()
    }
}

pub(super) fn count_send() {
    let made = MADE.get();
    let sends = made.sends + 1;
    MADE.set(SystemCalls { sends, ..made });
}

pub(super) fn count_receive() {
    let made = MADE.get();
    let receives = made.receives + 1;
    MADE.set(SystemCalls { receives, ..made });
}
