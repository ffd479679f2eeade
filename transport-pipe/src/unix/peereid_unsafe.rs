//! getpeereid(3), which rustix does not have.
#![allow(unsafe_code)]

use std::io;
use std::os::fd::{AsRawFd, BorrowedFd};

use rpc_core::transport::{Account, PeerIdentity};

/// Who connected, as of connect(2), or who listens, as of listen(2).
pub(super) fn peer_identity(fd: BorrowedFd<'_>) -> io::Result<PeerIdentity> {
    let (mut uid, mut gid) = (libc::uid_t::MAX, libc::gid_t::MAX);
    // SAFETY: the descriptor is open for the call; both pointers are to integers of the right type that live until
    // the call returns.
    let outcome = unsafe { libc::getpeereid(fd.as_raw_fd(), &raw mut uid, &raw mut gid) };
    if outcome != 0 {
        return Err(io::Error::last_os_error());
    }
    Ok(PeerIdentity::new(Account::Unix { uid, gid }, None))
}
