//! What the kernel says of a peer: SO_PEERCRED, SO_PEERGROUPS, SO_PEERPIDFD. rustix has the first too, with a process
//! id that may not be 0; but 0 is what the kernel says of a process in another pid namespace.
#![allow(unsafe_code)]

use std::io;
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd, RawFd};

use rpc_core::transport::{Account, PeerIdentity, PrincipalId};

/// More groups than most accounts have, so that one call is enough for them.
const USUAL_GROUPS: usize = 64;

/// Who connected, as of connect(2), or who listens, as of listen(2).
pub(super) fn peer_identity(fd: BorrowedFd<'_>) -> io::Result<PeerIdentity> {
    let mut credentials = [libc::ucred {
        pid: 0,
        uid: libc::uid_t::MAX,
        gid: libc::gid_t::MAX,
    }];
    get(fd, libc::SO_PEERCRED, &mut credentials)?;
    let [libc::ucred { pid, uid, gid }] = credentials;
    let pid = u32::try_from(pid).ok().filter(|pid| *pid != 0);
    Ok(PeerIdentity::new(Account::Unix { uid, gid }, pid))
}

/// The supplementary groups of who connected, as of connect(2).
pub(super) fn peer_groups(fd: BorrowedFd<'_>) -> io::Result<Vec<PrincipalId>> {
    let mut usual = [0; USUAL_GROUPS];
    let mut more;
    let mut groups = &mut usual[..];
    loop {
        match get(fd, libc::SO_PEERGROUPS, groups) {
            Ok(bytes) => {
                let told = groups.iter().take(bytes / size_of::<libc::gid_t>());
                return Ok(told.copied().map(PrincipalId::Gid).collect());
            }
            // The kernel has at most 65,536 for a process.
            Err(error) if error.raw_os_error() == Some(libc::ERANGE) => {
                more = vec![0; groups.len() * 4];
                groups = &mut more;
            }
            Err(error) => return Err(error),
        }
    }
}

/// The process that connected, in a form that never means another one.
pub(super) fn peer_process(fd: BorrowedFd<'_>) -> io::Result<OwnedFd> {
    let mut process: [RawFd; 1] = [-1];
    get(fd, libc::SO_PEERPIDFD, &mut process)?;
    if process[0] < 0 {
        return Err(io::ErrorKind::NotFound.into());
    }
    // SAFETY: the kernel just made the descriptor for us, and nobody else has it.
    Ok(unsafe { OwnedFd::from_raw_fd(process[0]) })
}

/// What the kernel may write at will: types in which all bytes mean something.
trait Plain: Copy {}
impl Plain for libc::ucred {}
impl Plain for u32 {}
impl Plain for i32 {}

/// Reads an option of the socket into `values`; says how many bytes it has.
fn get<T: Plain>(fd: BorrowedFd<'_>, option: libc::c_int, values: &mut [T]) -> io::Result<usize> {
    let mut len = libc::socklen_t::try_from(size_of_val(values)).map_err(io::Error::other)?;
    // SAFETY: the descriptor is open for the call; the pointers are to the values, of which any bytes make one, and to
    // their size in bytes, both alive and ours alone until the call returns.
    let outcome = unsafe {
        libc::getsockopt(
            fd.as_raw_fd(),
            libc::SOL_SOCKET,
            option,
            values.as_mut_ptr().cast(),
            &raw mut len,
        )
    };
    if outcome != 0 {
        return Err(io::Error::last_os_error());
    }
    Ok(len as usize)
}

#[cfg(test)]
mod tests {
    use std::os::fd::AsFd;
    use std::os::unix::net::UnixStream;

    use super::*;

    #[test]
    fn our_own_groups_are_told() {
        let (end, _other) = UnixStream::pair().unwrap();
        let ours = rustix::process::getgroups().unwrap().into_iter();
        let ours: Vec<_> = ours.map(|gid| PrincipalId::Gid(gid.as_raw())).collect();
        assert_eq!(peer_groups(end.as_fd()).unwrap(), ours);
    }
}
