//! SO_PEERCRED. rustix has it too, with a process id that may not be 0; but 0 is what the kernel says of a process in
//! another pid namespace.
#![allow(unsafe_code)]

use std::io;
use std::os::fd::{AsRawFd, BorrowedFd};

use rpc_core::transport::{Account, PeerIdentity};

/// Who connected, as of connect(2), or who listens, as of listen(2).
pub(super) fn peer_identity(fd: BorrowedFd<'_>) -> io::Result<PeerIdentity> {
    let mut credentials = libc::ucred {
        pid: 0,
        uid: libc::uid_t::MAX,
        gid: libc::gid_t::MAX,
    };
    let mut len = size_of::<libc::ucred>() as libc::socklen_t;
    // SAFETY: the descriptor is open for the call; the two pointers are to a `ucred` and to its size, both alive and
    // ours alone until the call returns.
    let outcome = unsafe {
        libc::getsockopt(
            fd.as_raw_fd(),
            libc::SOL_SOCKET,
            libc::SO_PEERCRED,
            (&raw mut credentials).cast(),
            &raw mut len,
        )
    };
    if outcome != 0 {
        return Err(io::Error::last_os_error());
    }
    let (uid, gid) = (credentials.uid, credentials.gid);
    let pid = u32::try_from(credentials.pid).ok().filter(|pid| *pid != 0);
    Ok(PeerIdentity::new(Account::Unix { uid, gid }, pid))
}
