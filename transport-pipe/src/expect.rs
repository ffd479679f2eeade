//! Whose server a client expects, and the check of the account that was found.

use std::fmt;

use rpc_core::transport::Account;

/// The well-known identifier of the LocalSystem account.
const LOCAL_SYSTEM: &str = "S-1-5-18";

/// Whose server a client expects to find. Checked before the first byte is sent.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Owner {
    /// The account this process runs under.
    #[default]
    SameUser,
    /// Root (uid 0). Matches nobody on Windows.
    Root,
    /// The system itself: LocalSystem on Windows, root elsewhere.
    System,
    /// The Unix account of this number.
    Uid(u32),
    /// The Windows account with this security identifier, `S-1-…`.
    Sid(String),
}

impl Owner {
    /// Whether `found` is the account expected by a process that runs under `ours`.
    pub(crate) fn is(&self, found: &Account, ours: &Account) -> bool {
        match (self, found) {
            (Self::SameUser, _) => same_user(found, ours),
            (Self::Root | Self::System, Account::Unix { uid, .. }) => *uid == 0,
            (Self::System, Account::Windows { sid }) => sid == LOCAL_SYSTEM,
            (Self::Uid(expected), Account::Unix { uid, .. }) => expected == uid,
            (Self::Sid(expected), Account::Windows { sid }) => expected == sid,
            _ => false,
        }
    }
}

fn same_user(found: &Account, ours: &Account) -> bool {
    match (found, ours) {
        (Account::Unix { uid: found, .. }, Account::Unix { uid: ours, .. }) => found == ours,
        _ => found == ours,
    }
}

impl fmt::Display for Owner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::SameUser => f.write_str("this user"),
            Self::Root => f.write_str("root"),
            Self::System => f.write_str("the system"),
            Self::Uid(uid) => write!(f, "uid {uid}"),
            Self::Sid(sid) => f.write_str(sid),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn unix(uid: u32, gid: u32) -> Account {
        Account::Unix { uid, gid }
    }

    fn windows(sid: &str) -> Account {
        Account::Windows { sid: sid.to_owned() }
    }

    #[test]
    fn the_same_user_in_another_group_is_the_same_user() {
        assert!(Owner::SameUser.is(&unix(1000, 7), &unix(1000, 1000)));
        assert!(!Owner::SameUser.is(&unix(1001, 1000), &unix(1000, 1000)));
        assert!(!Owner::SameUser.is(&unix(0, 0), &unix(1000, 1000)));
        assert!(Owner::SameUser.is(&windows("S-1-5-21-1"), &windows("S-1-5-21-1")));
    }

    #[test]
    fn the_system_is_root_or_local_system() {
        assert!(Owner::System.is(&unix(0, 0), &unix(1000, 1000)));
        assert!(Owner::System.is(&windows("S-1-5-18"), &windows("S-1-5-21-1")));
        assert!(!Owner::System.is(&windows("S-1-5-21-1"), &windows("S-1-5-21-1")));
        assert!(!Owner::Root.is(&windows("S-1-5-18"), &windows("S-1-5-18")));
    }

    #[test]
    fn a_named_account_is_that_account_alone() {
        assert!(Owner::Uid(12).is(&unix(12, 1), &unix(0, 0)));
        assert!(!Owner::Uid(12).is(&unix(0, 0), &unix(0, 0)));
        assert!(Owner::Sid("S-1-5-21-7".into()).is(&windows("S-1-5-21-7"), &windows("S-1-5-18")));
        assert!(!Owner::Sid("S-1-5-21-7".into()).is(&unix(7, 7), &unix(7, 7)));
    }
}
