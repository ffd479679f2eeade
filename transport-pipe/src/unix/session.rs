//! Login sessions on Linux: the kernel's audit sessions. A login begins one with a number never used before; all that
//! it starts inherits it, and none but a process that may do anything can enter another.

use std::fs;
use std::io;
use std::os::fd::{AsRawFd, BorrowedFd};

use rustix::net::{AddressFamily, SocketFlags, SocketType, socketpair};

use super::peercred_unsafe::peer_process;
use crate::access::AccessError;

/// What the kernel says of a process that is in no session.
const NONE: u32 = u32::MAX;

/// A login session.
#[derive(Debug)]
pub(super) struct Session(u32);

impl Session {
    /// The session that this process is in.
    ///
    /// # Errors
    /// If it is in none, or the kernel could not prove that a client is in it.
    pub(super) fn current() -> Result<Self, AccessError> {
        if !proves_peers() {
            let needed = "it takes Linux 6.5";
            return Err(AccessError::SessionsUnknown { needed });
        }
        match session_of("self") {
            Ok(NONE) => Err(AccessError::NoSession),
            Ok(session) => Ok(Self(session)),
            Err(_) => {
                let needed = "it takes a kernel with auditing, and /proc";
                Err(AccessError::SessionsUnknown { needed })
            }
        }
    }

    /// Whether the process that connected is in this session.
    ///
    /// # Errors
    /// If the process has ended, or cannot be seen from here.
    pub(super) fn has(&self, socket: BorrowedFd<'_>) -> io::Result<bool> {
        let process = peer_process(socket)?;
        let pid = pid_of(&process)?;
        let session = session_of(&pid)?;
        // The number was the process' own all the while, and nobody else's, if it still is.
        if pid_of(&process)? != pid {
            return Err(ended());
        }
        Ok(session == self.0)
    }
}

/// Whether the kernel tells which process connected in a way that no later process can be mistaken for it.
fn proves_peers() -> bool {
    let pair = socketpair(
        AddressFamily::UNIX,
        SocketType::STREAM,
        SocketFlags::CLOEXEC,
        None,
    );
    pair.is_ok_and(|(end, _other)| peer_process(std::os::fd::AsFd::as_fd(&end)).is_ok())
}

fn session_of(pid: &str) -> io::Result<u32> {
    let text = fs::read_to_string(format!("/proc/{pid}/sessionid"))?;
    text.trim().parse().map_err(io::Error::other)
}

/// The number of the process in this system's /proc, while it lives.
fn pid_of(process: &impl AsRawFd) -> io::Result<String> {
    let info = fs::read_to_string(format!("/proc/self/fdinfo/{}", process.as_raw_fd()))?;
    let pid = info
        .lines()
        .find_map(|line| line.strip_prefix("Pid:"))
        .map(str::trim);
    match pid.and_then(|pid| pid.parse::<u32>().ok()) {
        // 0 is a process of another namespace, -1 one that is gone.
        Some(pid @ 1..) => Ok(pid.to_string()),
        _ => Err(ended()),
    }
}

fn ended() -> io::Error {
    io::Error::new(
        io::ErrorKind::NotFound,
        "the process has ended, or runs in another pid namespace",
    )
}
