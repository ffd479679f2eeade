//! Who is at the other end of a pipe.

use std::fmt;

use super::{Principal, PrincipalId};

/// Who is at the other end of a pipe, as the operating system told when the pipe was made. It never changes after, and
/// the peer has no say in it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct PeerIdentity {
    /// The process id, where the system tells it. For logs only: ids are reused, and prove nothing.
    pub pid: Option<u32>,
    /// The account the peer runs under.
    pub account: Account,
    /// The groups the peer is in beside its account's own, where the system tells them: at a server on Linux, macOS,
    /// FreeBSD and Windows. Empty elsewhere.
    pub groups: Vec<PrincipalId>,
    same_user: bool,
}

impl PeerIdentity {
    /// A peer that runs under `account`, in no further groups, and not as the user of this process.
    #[must_use]
    pub fn new(account: Account, pid: Option<u32>) -> Self {
        Self {
            pid,
            account,
            groups: Vec::new(),
            same_user: false,
        }
    }

    /// The other end of an in-memory pair: this very process.
    #[must_use]
    pub fn in_process() -> Self {
        Self::new(Account::InProcess, Some(std::process::id())).of_same_user()
    }

    /// The same, in these groups beside its account's own.
    #[must_use]
    pub fn with_groups(mut self, groups: Vec<PrincipalId>) -> Self {
        self.groups = groups;
        self
    }

    /// The same, known to run under the account of this process.
    #[must_use]
    pub fn of_same_user(mut self) -> Self {
        self.same_user = true;
        self
    }

    /// Whether the peer ran under the account of this process when the pipe was made.
    #[must_use]
    pub const fn is_same_user(&self) -> bool {
        self.same_user
    }

    /// Whether the peer is that user, or in that group. The other end of an in-memory pair is nobody of these.
    #[must_use]
    pub fn is(&self, principal: &Principal) -> bool {
        let id = principal.id();
        let by_account = match (&self.account, id) {
            (Account::Unix { uid, .. }, PrincipalId::Uid(asked)) => uid == asked,
            (Account::Unix { gid, .. }, PrincipalId::Gid(asked)) => gid == asked,
            (Account::Windows { sid }, PrincipalId::Sid(asked)) => sid == asked,
            _ => false,
        };
        by_account || self.groups.contains(id)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_peer_is_its_user_and_its_groups_and_nobody_else() {
        let peer = PeerIdentity::new(Account::Unix { uid: 7, gid: 8 }, None);
        let peer = peer.with_groups(vec![PrincipalId::Gid(9)]);
        for is in [Principal::uid(7), Principal::gid(8), Principal::gid(9)] {
            assert!(peer.is(&is), "{is}");
        }
        for is_not in [Principal::uid(8), Principal::uid(9), Principal::gid(7)] {
            assert!(!peer.is(&is_not), "{is_not}");
        }
    }

    #[test]
    fn a_name_has_no_say_in_who_is_meant() {
        let peer = PeerIdentity::new(Account::Unix { uid: 7, gid: 8 }, None);
        assert!(peer.is(&Principal::uid(7).with_name("user root")));
        assert!(!peer.is(&Principal::uid(0).with_name("uid 7")));
    }

    #[test]
    fn this_process_is_the_same_user_and_no_number() {
        let peer = PeerIdentity::in_process();
        assert!(peer.is_same_user());
        assert!(!peer.is(&Principal::uid(0)) && !peer.is(&Principal::gid(0)));
    }
}
