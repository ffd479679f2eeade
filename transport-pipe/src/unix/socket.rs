//! The connected socket that the two halves of a pipe share.

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};

use rustix::io::fcntl_dupfd_cloexec;
use rustix::net::{Shutdown, shutdown};
use tokio::io::unix::AsyncFdReadyGuard;
use tokio::runtime::{EnterGuard, Handle};

use super::register_unsafe::Registered;
use crate::gauges::Connected;

/// A connected socket; closed for good when both halves are dropped.
#[derive(Debug)]
pub(super) struct Socket {
    fd: Registered,
    closed: AtomicBool,
    /// The runtime the pipe was made in: waiting to write may begin on a thread that is in none.
    runtime: Handle,
    /// Of a server's end. Last, so that the pipe is uncounted after it is closed.
    counted: Option<Connected>,
}

impl Socket {
    /// Takes a connected, non-blocking socket.
    ///
    /// # Panics
    /// Outside a tokio runtime; the callers have looked.
    pub(super) fn new(fd: OwnedFd, counted: Option<Connected>) -> io::Result<Arc<Self>> {
        Ok(Arc::new(Self {
            fd: Registered::for_reading(fd)?,
            closed: AtomicBool::new(false),
            runtime: Handle::current(),
            counted,
        }))
    }

    /// Whether this is a server's end.
    pub(super) fn was_accepted(&self) -> bool {
        self.counted.is_some()
    }

    /// Ends both directions at once. What the kernel has can still be read, here and by the peer. The descriptor stays
    /// open until both halves are dropped, so that its number cannot become another's under a call in progress.
    pub(super) fn close(&self) {
        if !self.closed.swap(true, Ordering::AcqRel) {
            // It fails only when the peer closed before, which comes to the same.
            let _ = shutdown(&self.fd, Shutdown::Both);
        }
    }

    /// An error once this end was closed.
    pub(super) fn check_open(&self) -> io::Result<()> {
        if self.closed.load(Ordering::Acquire) {
            return Err(io::Error::new(
                io::ErrorKind::BrokenPipe,
                "this end of the pipe was closed",
            ));
        }
        Ok(())
    }

    pub(super) fn poll_readable(
        &self,
        cx: &mut Context<'_>,
    ) -> Poll<io::Result<AsyncFdReadyGuard<'_, OwnedFd>>> {
        self.fd.poll_readable(cx)
    }

    /// Reads if the runtime knows of something, and says whether it did. `read` tells whether it has seen the last of it.
    #[cfg(target_os = "linux")]
    pub(super) fn if_readable(&self, read: impl FnOnce() -> bool) -> bool {
        self.fd.if_readable(read)
    }

    /// Another descriptor of the same socket.
    pub(super) fn duplicate(&self) -> io::Result<OwnedFd> {
        Ok(fcntl_dupfd_cloexec(&self.fd, 0)?)
    }

    pub(super) fn runtime(&self) -> &Handle {
        &self.runtime
    }

    /// Makes the pipe's runtime the current one.
    pub(super) fn enter_runtime(&self) -> EnterGuard<'_> {
        self.runtime.enter()
    }
}

impl AsFd for Socket {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}
