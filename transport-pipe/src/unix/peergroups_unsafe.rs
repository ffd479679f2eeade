//! LOCAL_PEERCRED of macOS and the BSDs that have it: the groups of a peer, of which the kernel keeps sixteen.
#![allow(unsafe_code)]

use std::io;
use std::mem::MaybeUninit;
use std::os::fd::{AsRawFd, BorrowedFd};

use rpc_core::transport::PrincipalId;

/// The groups of who connected, as of connect(2).
pub(super) fn peer_groups(fd: BorrowedFd<'_>) -> io::Result<Vec<PrincipalId>> {
    let mut credentials = MaybeUninit::<libc::xucred>::zeroed();
    let mut len = size_of::<libc::xucred>() as libc::socklen_t;
    // SAFETY: the descriptor is open for the call; the two pointers are to an `xucred` and to its size, both alive and
    // ours alone until the call returns.
    let outcome = unsafe {
        libc::getsockopt(
            fd.as_raw_fd(),
            libc::SOL_LOCAL,
            libc::LOCAL_PEERCRED,
            credentials.as_mut_ptr().cast(),
            &raw mut len,
        )
    };
    if outcome != 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: it began as zeros, which are a value of it, and the kernel wrote over them.
    let credentials = unsafe { credentials.assume_init() };
    if credentials.cr_version != libc::XUCRED_VERSION {
        return Err(io::ErrorKind::Unsupported.into());
    }
    let count = usize::try_from(credentials.cr_ngroups).unwrap_or(0);
    let groups = credentials.cr_groups.into_iter().take(count);
    Ok(groups.map(PrincipalId::Gid).collect())
}
