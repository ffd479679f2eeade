//! Who is at the other end of a socket.

use std::io;
use std::os::fd::AsFd;

use rpc_core::transport::{Account, PeerIdentity};
use rustix::process::geteuid;

use super::system;

/// Who is there, by the kernel's word of when the socket was connected.
pub(super) fn identity_of(socket: impl AsFd) -> io::Result<PeerIdentity> {
    let peer = system::peer_identity(socket.as_fd())?;
    Ok(match peer.account {
        Account::Unix { uid, .. } if uid == geteuid().as_raw() => peer.of_same_user(),
        _ => peer,
    })
}

/// Who connected, with all groups; for a server's end.
pub(super) fn client_of(socket: impl AsFd) -> io::Result<PeerIdentity> {
    let peer = identity_of(&socket)?;
    let groups = system::peer_groups(socket.as_fd()).unwrap_or_else(|error| {
        tracing::debug!(%error, "the system does not tell the groups of a client");
        Vec::new()
    });
    Ok(peer.with_groups(groups))
}
