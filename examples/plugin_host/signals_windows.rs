//! What a plugin makes of console events. They reach every process of the console.

use std::io;

use tokio::signal::windows::{CtrlBreak, CtrlC, CtrlClose, CtrlShutdown};
use tokio::signal::windows::{ctrl_break, ctrl_c, ctrl_close, ctrl_shutdown};

/// From its making on, no event ends the process at once.
pub(crate) struct Signals {
    interrupt: CtrlC,
    stop: CtrlBreak,
    close: CtrlClose,
    shutdown: CtrlShutdown,
}

impl Signals {
    /// Takes the events over.
    pub(crate) fn take_over() -> io::Result<Self> {
        Ok(Self {
            interrupt: ctrl_c()?,
            stop: ctrl_break()?,
            close: ctrl_close()?,
            shutdown: ctrl_shutdown()?,
        })
    }

    /// Waits until the process is told to end. Ctrl-C is the host's business, and passed over.
    pub(crate) async fn told_to_end(mut self) {
        loop {
            tokio::select! {
                _ = self.interrupt.recv() => {}
                _ = self.stop.recv() => return,
                _ = self.close.recv() => return,
                _ = self.shutdown.recv() => return,
            }
        }
    }
}
