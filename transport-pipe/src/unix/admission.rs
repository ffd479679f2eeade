//! The check of each client against who may connect.

use std::os::fd::{AsFd, BorrowedFd};

use rpc_core::transport::{Account, PeerIdentity, Principal, PrincipalId};
use rustix::fs::Mode;
use rustix::process::geteuid;

use super::system::Session;
use crate::access::{Access, AccessError};

/// Who may connect, made ready to be asked about each client.
#[derive(Debug)]
pub(super) enum Admission {
    SameUser,
    Session(Session),
    Listed(Vec<Principal>),
    AnyUser,
}

impl Admission {
    /// What the choice comes down to on this system.
    pub(super) fn new(access: &Access) -> Result<Self, AccessError> {
        Ok(match access {
            Access::SameUser => Self::SameUser,
            Access::SameSession => Self::Session(Session::current()?),
            Access::Listed(principals) => {
                principals.iter().try_for_each(check)?;
                Self::Listed(principals.clone())
            }
            Access::AnyUser => Self::AnyUser,
        })
    }

    /// The mode of the socket's file: the first check. It knows no list of users, so there the second one decides.
    pub(super) fn mode(&self) -> Mode {
        match self {
            Self::SameUser | Self::Session(_) => Mode::from_raw_mode(0o600),
            Self::Listed(_) | Self::AnyUser => Mode::from_raw_mode(0o666),
        }
    }

    /// Whether this client may connect. `socket` is the server's end of its connection.
    pub(super) fn admits(&self, peer: &PeerIdentity, socket: impl AsFd) -> bool {
        if self.needs_nothing_more_of(peer) {
            return true;
        }
        match self {
            Self::SameUser => false,
            Self::Session(session) => peer.is_same_user() && is_in(session, socket.as_fd()),
            Self::Listed(principals) => principals.iter().any(|principal| peer.is(principal)),
            Self::AnyUser => true,
        }
    }

    /// Root may do all that the server may; but to a server of root's it is a user like others.
    fn needs_nothing_more_of(&self, peer: &PeerIdentity) -> bool {
        let root = matches!(peer.account, Account::Unix { uid: 0, .. });
        match self {
            Self::Session(_) => root && !geteuid().is_root(),
            _ => root || peer.is_same_user(),
        }
    }
}

fn check(principal: &Principal) -> Result<(), AccessError> {
    match principal.id() {
        PrincipalId::Uid(_) | PrincipalId::Gid(_) => Ok(()),
        _ => Err(AccessError::ForeignPrincipal {
            principal: principal.clone(),
            form: "users and groups have numbers here",
        }),
    }
}

fn is_in(session: &Session, socket: BorrowedFd<'_>) -> bool {
    session.has(socket).unwrap_or_else(|error| {
        tracing::debug!(%error, "the session of a client is not known; it may have ended");
        false
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn peer(uid: u32, gid: u32) -> PeerIdentity {
        PeerIdentity::new(Account::Unix { uid, gid }, None)
    }

    fn admits(admission: &Admission, peer: &PeerIdentity) -> bool {
        admission.admits(peer, std::io::stdin())
    }

    #[test]
    fn the_same_user_and_root_are_admitted_by_default_and_nobody_else() {
        let admission = Admission::new(&Access::default()).unwrap();
        assert!(admits(&admission, &peer(7, 7).of_same_user()));
        assert!(admits(&admission, &peer(0, 0)));
        assert!(!admits(&admission, &peer(7, 0)), "the group of root is not root");
        assert_eq!(admission.mode().as_raw_mode(), 0o600);
    }

    #[test]
    fn a_list_admits_its_users_the_members_of_its_groups_and_the_servers_own() {
        let access = Access::listed([Principal::uid(7), Principal::gid(44)]);
        let admission = Admission::new(&access).unwrap();
        let member = peer(8, 8).with_groups(vec![PrincipalId::Gid(3), PrincipalId::Gid(44)]);
        for admitted in [
            peer(7, 1),
            peer(8, 44),
            member,
            peer(9, 9).of_same_user(),
            peer(0, 0),
        ] {
            assert!(admits(&admission, &admitted), "{admitted:?}");
        }
        let other = peer(44, 7).with_groups(vec![PrincipalId::Gid(7)]);
        assert!(
            !admits(&admission, &other),
            "numbers of groups are not those of users"
        );
    }

    #[test]
    fn an_empty_list_admits_only_the_servers_own() {
        let admission = Admission::new(&Access::listed([])).unwrap();
        assert!(admits(&admission, &peer(7, 7).of_same_user()));
        assert!(!admits(&admission, &peer(7, 7)));
    }

    #[test]
    fn an_identifier_of_windows_is_refused_here() {
        let everyone = Principal::sid("S-1-1-0").unwrap();
        let error = Admission::new(&Access::listed([everyone])).unwrap_err();
        assert!(matches!(error, AccessError::ForeignPrincipal { .. }), "{error}");
    }
}
