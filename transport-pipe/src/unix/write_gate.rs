//! Waiting until a socket takes more. Costs nothing until a send would block.
//!
//! ```text
//!            send would block                polled
//!   Open ─────────────────────▶ Full ────────────────────▶ Waiting ──(writable)──▶ Open
//!     └──(kernel is short)────▶ Short ────────────────────▶ Pausing ──(time)──────▶ Open
//! ```

use std::io;
use std::pin::Pin;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::time::Sleep;

use super::register_unsafe::Registered;
use super::socket::Socket;

/// How long to wait when the kernel is short of memory or descriptors, which it does not tell the end of.
const PAUSE: Duration = Duration::from_millis(2);

/// Whether a send may be tried, and what to wait for if not.
#[derive(Debug, Default)]
pub(super) struct WriteGate(Mutex<State>);

#[derive(Debug, Default)]
enum State {
    #[default]
    Open,
    /// The socket's buffer is full.
    Full,
    /// A duplicate of the socket, registered for writing.
    Waiting(Registered),
    /// The kernel had no memory for the packet, or no descriptor for the duplicate.
    Short,
    Pausing(Pin<Box<Sleep>>),
}

impl WriteGate {
    /// A send would have blocked.
    pub(super) fn shut_full(&self) {
        self.shut(State::Full);
    }

    /// The kernel was short of memory.
    pub(super) fn shut_short(&self) {
        self.shut(State::Short);
    }

    /// There is more room than the send that blocked has found.
    #[cfg(target_os = "linux")]
    pub(super) fn reopen(&self) {
        *self.lock() = State::Open;
    }

    /// Ready when a send may be tried.
    pub(super) fn poll_open(&self, cx: &mut Context<'_>, socket: &Socket) -> Poll<io::Result<()>> {
        socket.check_open()?;
        let mut state = self.lock();
        loop {
            *state = match &mut *state {
                State::Open => return Poll::Ready(Ok(())),
                State::Full => wait_or_pause(socket)?,
                State::Waiting(duplicate) => {
                    // Once writable the duplicate goes, and with it the wake-ups for what the peer takes.
                    ready!(duplicate.poll_writable(cx))?.retain_ready();
                    State::Open
                }
                State::Short => pause(socket),
                State::Pausing(sleep) => {
                    ready!(sleep.as_mut().poll(cx));
                    State::Open
                }
            };
        }
    }

    /// Whoever waits already keeps waiting for the same thing: replacing it would lose the waker.
    fn shut(&self, reason: State) {
        let mut state = self.lock();
        if matches!(*state, State::Open) {
            *state = reason;
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn wait_or_pause(socket: &Socket) -> io::Result<State> {
    let Ok(duplicate) = socket.duplicate() else {
        return Ok(State::Short);
    };
    let _runtime = socket.enter_runtime();
    Ok(State::Waiting(Registered::for_writing(duplicate)?))
}

fn pause(socket: &Socket) -> State {
    let _runtime = socket.enter_runtime();
    State::Pausing(Box::pin(tokio::time::sleep(PAUSE)))
}
