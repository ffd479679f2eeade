//! Who is at the other end of a pipe.

use std::fmt;

/// Who is at the other end of a pipe, as the operating system told when the pipe was made. It never changes after.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct PeerIdentity {
    /// The process id, where the system tells it. For logs only: ids are reused, and prove nothing.
    pub pid: Option<u32>,
    /// The account the peer runs under.
    pub account: Account,
}

impl PeerIdentity {
    /// A peer that runs under `account`.
    #[must_use]
    pub fn new(account: Account, pid: Option<u32>) -> Self {
        Self { pid, account }
    }

    /// The other end of an in-memory pair: this very process.
    #[must_use]
    pub fn in_process() -> Self {
        Self {
            pid: Some(std::process::id()),
            account: Account::InProcess,
        }
    }
}

/// The account a process runs under.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Account {
    /// A user and group of a Unix system.
    Unix {
        /// The effective user id.
        uid: u32,
        /// The effective group id.
        gid: u32,
    },
    /// A Windows account.
    Windows {
        /// Its security identifier in text form, `S-1-…`.
        sid: String,
    },
    /// The same process, over the in-memory pair.
    InProcess,
}

impl fmt::Display for Account {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unix { uid, .. } => write!(f, "uid {uid}"),
            Self::Windows { sid } => write!(f, "{sid}"),
            Self::InProcess => write!(f, "this process"),
        }
    }
}

impl fmt::Display for PeerIdentity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.pid {
            Some(pid) => write!(f, "process {pid} of {}", self.account),
            None => write!(f, "a process of {}", self.account),
        }
    }
}
