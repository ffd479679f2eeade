//! What a plugin makes of signals. One that goes to the whole process group reaches it too.

use std::io;

use tokio::signal::unix::{Signal, SignalKind, signal};

/// From its making on, no signal that can be caught ends the process at once.
pub(crate) struct Signals {
    interrupt: Signal,
    terminate: Signal,
    hangup: Signal,
}

impl Signals {
    /// Takes the signals over.
    pub(crate) fn take_over() -> io::Result<Self> {
        Ok(Self {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
            hangup: signal(SignalKind::hangup())?,
        })
    }

    /// Waits until the process is told to end. Ctrl-C is the host's business, and passed over.
    pub(crate) async fn told_to_end(mut self) {
        loop {
            tokio::select! {
                _ = self.interrupt.recv() => {}
                _ = self.terminate.recv() => return,
                _ = self.hangup.recv() => return,
            }
        }
    }
}
