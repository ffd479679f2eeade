//! One attempt to connect.

use std::io;

use rpc_core::transport::{Account, Link, PeerIdentity};
use rustix::io::Errno;
use rustix::net::{SocketAddrUnix, connect};
use rustix::process::{getegid, geteuid};

use super::peer;
use super::socket::Socket;
use super::system;
use crate::error::AttemptError;
use crate::expect::Owner;
use crate::name::NativeName;
use crate::options::ConnectOptions;

/// One attempt. A connect to a local socket never waits, and is done or refused at once.
pub(crate) async fn connect_once(name: &NativeName, options: &ConnectOptions) -> Result<Link, AttemptError> {
    let address = SocketAddrUnix::new(name.as_path()).map_err(io::Error::from)?;
    let socket = system::new_socket(options.framing).map_err(io::Error::from)?;
    loop {
        match connect(&socket, &address) {
            Ok(()) => break,
            Err(Errno::INTR) => {}
            Err(error) => return Err(attempt_error(error)),
        }
    }
    let peer = peer::identity_of(&socket)?;
    check_owner(&options.expect_owner, &peer)?;
    let socket = Socket::new(socket, None)?;
    Ok(system::link(socket, options.framing, peer, options.max_packet))
}

fn attempt_error(error: Errno) -> AttemptError {
    match error {
        // The backlog is full; that cannot be awaited, only tried again.
        Errno::AGAIN => AttemptError::Busy,
        // No file, or one that a killed server left behind.
        Errno::NOENT | Errno::CONNREFUSED => AttemptError::NotFound,
        Errno::PROTOTYPE => AttemptError::Failed(io::Error::new(
            io::ErrorKind::InvalidInput,
            "the server frames its packets otherwise: give both ends the same `.framing(..)`",
        )),
        other => AttemptError::Failed(other.into()),
    }
}

/// Before anything is sent.
fn check_owner(expected: &Owner, peer: &PeerIdentity) -> Result<(), AttemptError> {
    // The usual case needs no further system calls.
    let is_usual = *expected == Owner::SameUser && peer.is_same_user();
    if is_usual || expected.is(&peer.account, &our_account()) {
        return Ok(());
    }
    Err(AttemptError::WrongOwner {
        expected: expected.clone(),
        found: peer.account.clone(),
    })
}

/// The account this process runs under.
pub(super) fn our_account() -> Account {
    Account::Unix {
        uid: geteuid().as_raw(),
        gid: getegid().as_raw(),
    }
}
