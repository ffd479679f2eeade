//! A descriptor of our own that is registered with tokio.
#![allow(unsafe_code)]

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::task::{Context, Poll};

use tokio::io::Interest;
use tokio::io::unix::{AsyncFd, AsyncFdReadyGuard};

/// An owned descriptor in tokio's poll set. There is no way to exchange the descriptor inside.
#[derive(Debug)]
pub(super) struct Registered(AsyncFd<OwnedFd>);

impl Registered {
    /// Registers for reading alone. An AF_UNIX socket wakes its writer for each packet the peer takes; whoever does
    /// not wait to write need not hear of it.
    pub(super) fn for_reading(fd: OwnedFd) -> io::Result<Self> {
        Self::register(fd, Interest::READABLE)
    }

    /// Registers for writing alone. A descriptor can be registered once, so this is for duplicates.
    pub(super) fn for_writing(fd: OwnedFd) -> io::Result<Self> {
        Self::register(fd, Interest::WRITABLE)
    }

    fn register(fd: OwnedFd, interest: Interest) -> io::Result<Self> {
        // SAFETY: an `OwnedFd` is open, always gives the same descriptor, and lives in the `AsyncFd` until that is
        // dropped; the field is private and no method here lends it mutably.
        let registered = unsafe { AsyncFd::register_with_interest(fd, interest) };
        Ok(Self(registered?))
    }

    pub(super) fn poll_readable(
        &self,
        cx: &mut Context<'_>,
    ) -> Poll<io::Result<AsyncFdReadyGuard<'_, OwnedFd>>> {
        self.0.poll_read_ready(cx)
    }

    /// Reads if there is something, as far as is known, and says whether it did. `read` tells whether it has seen the last
    /// of it. A fifth of the instructions of [`poll_readable`](Self::poll_readable).
    #[cfg(target_os = "linux")]
    pub(super) fn if_readable(&self, read: impl FnOnce() -> bool) -> bool {
        let mut was_readable = false;
        // Its result says no more than that.
        let _ = self.0.try_io(Interest::READABLE, |_| {
            was_readable = true;
            if read() {
                return Err(io::Error::from(io::ErrorKind::WouldBlock));
            }
            Ok(())
        });
        was_readable
    }

    pub(super) fn poll_writable(
        &self,
        cx: &mut Context<'_>,
    ) -> Poll<io::Result<AsyncFdReadyGuard<'_, OwnedFd>>> {
        self.0.poll_write_ready(cx)
    }

    pub(super) async fn readable(&self) -> io::Result<AsyncFdReadyGuard<'_, OwnedFd>> {
        self.0.readable().await
    }
}

impl AsFd for Registered {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.get_ref().as_fd()
    }
}
