//! macOS and the BSDs: stream sockets with a length prefix, and no flags at creation that all of them have.

use std::any::Any;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::path::PathBuf;
use std::sync::Arc;

pub(crate) use rpc_core::transport::DEFAULT_MAX_PACKET;
use rpc_core::transport::{Link, PacketReceiver, PeerIdentity};
use rustix::fs::Mode;
use rustix::io::{FdFlags, fcntl_setfd, ioctl_fionbio};
use rustix::net::sockopt::{set_socket_nosigpipe, set_socket_send_buffer_size};
use rustix::net::{AddressFamily, SendFlags, SocketType, socket};

#[cfg(not(any(target_vendor = "apple", target_os = "freebsd")))]
pub(super) use super::no_peergroups::peer_groups;
pub(super) use super::no_session::Session;
pub(super) use super::peereid_unsafe::peer_identity;
#[cfg(any(target_vendor = "apple", target_os = "freebsd"))]
pub(super) use super::peergroups_unsafe::peer_groups;
use super::socket::Socket;
use super::{framed_recv, framed_send};
use crate::options::Framing;
use crate::pipe::PipeParts;

/// SIGPIPE is switched off at the socket instead of at each send.
pub(super) const SEND_FLAGS: SendFlags = SendFlags::DONTWAIT;

/// Room for a few packets; the default is 8 KiB.
const SEND_BUFFER: usize = 256 * 1024;

/// Where shared names lead: a place of the system's for what lives until the next start.
pub(super) const SHARED_PLACE: &str = "/var/run/pipe-rpc";

/// A new socket, non-blocking and not inherited.
pub(super) fn new_socket(_: Framing) -> rustix::io::Result<OwnedFd> {
    prepare(socket(AddressFamily::UNIX, SocketType::STREAM, None)?)
}

/// The next client, non-blocking and not inherited.
pub(super) fn accept(listener: impl AsFd) -> rustix::io::Result<OwnedFd> {
    prepare(rustix::net::accept(listener)?)
}

/// These systems have no mode of a socket that is not bound.
pub(super) fn restrict_before_bind(_: impl AsFd, _: Mode) -> rustix::io::Result<()> {
    Ok(())
}

/// The link over a connected socket.
pub(super) fn link(socket: Arc<Socket>, _: Framing, peer: PeerIdentity, max_packet: usize) -> Link {
    // Where it is refused, sends take more turns.
    let _ = set_socket_send_buffer_size(&socket, SEND_BUFFER);
    framed_send::link(socket, peer, max_packet)
}

/// Takes a receiver apart that one of this module's links had.
pub(crate) fn into_parts(receiver: Box<dyn PacketReceiver>) -> io::Result<PipeParts> {
    let receiver: Box<dyn Any> = receiver;
    framed_recv::into_parts(receiver)
}

/// These systems are not asked for it: peers have no process id here.
pub(crate) fn executable(_: u32) -> Option<PathBuf> {
    None
}

fn prepare(fd: OwnedFd) -> rustix::io::Result<OwnedFd> {
    fcntl_setfd(&fd, FdFlags::CLOEXEC)?;
    ioctl_fionbio(&fd, true)?;
    set_socket_nosigpipe(&fd, true)?;
    Ok(fd)
}
