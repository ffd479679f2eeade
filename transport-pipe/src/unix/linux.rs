//! What is Linux's own: SEQPACKET sockets, and flags that spare a race.

use std::any::Any;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::path::PathBuf;
use std::sync::Arc;

use rpc_core::transport::{Link, PacketReceiver, PeerIdentity};
use rustix::fs::{Mode, fchmod};
use rustix::net::sockopt::{set_socket_send_buffer_size, socket_send_buffer_size};
use rustix::net::{AddressFamily, SendFlags, SocketFlags, SocketType, accept_with, socket_with};

pub(super) use super::peercred_unsafe::{peer_groups, peer_identity};
pub(super) use super::session::Session;
use super::socket::Socket;
use super::{framed_recv, framed_send, seqpacket};
use crate::options::Framing;
use crate::pipe::PipeParts;

/// SEQPACKET wants MSG_EOR for a whole message by POSIX; streams ignore it.
pub(super) const SEND_FLAGS: SendFlags = SendFlags::NOSIGNAL
    .union(SendFlags::EOR)
    .union(SendFlags::DONTWAIT);

/// The limit for packets unless another is set. A packet costs 3 to 4 µs beside its bytes, so large ones make large
/// bodies cheaper: an echo of 1 MiB takes 0.85 of the time that it takes in packets of 64 KiB. The kernel puts up to 68 KiB
/// of a packet into single pages and the rest into one piece, here 32 KiB, which is the largest that it never fails to
/// find: net/unix/af_unix.c, `unix_dgram_sendmsg`, and PAGE_ALLOC_COSTLY_ORDER in include/linux/mmzone.h.
pub(crate) const DEFAULT_MAX_PACKET: usize = 96 * 1024;

/// What is asked of the kernel for each direction; it doubles it. Room for four packets of 96 KiB, or two of 192.
const SEND_BUFFER: usize = 212_992;

/// What the kernel keeps of the send buffer for itself when it looks at a packet's size.
const SEND_BUFFER_OVERHEAD: usize = 32;

/// Where shared names lead: a place of the system's for what lives until the next start.
pub(super) const SHARED_PLACE: &str = "/run/pipe-rpc";

const FLAGS: SocketFlags = SocketFlags::CLOEXEC.union(SocketFlags::NONBLOCK);

/// A new socket, non-blocking and not inherited.
pub(super) fn new_socket(framing: Framing) -> rustix::io::Result<OwnedFd> {
    socket_with(AddressFamily::UNIX, socket_type(framing), FLAGS, None)
}

/// The next client, non-blocking and not inherited.
pub(super) fn accept(listener: impl AsFd) -> rustix::io::Result<OwnedFd> {
    accept_with(listener, FLAGS)
}

/// Sets the mode that the socket's file has from the bind on, less what the umask takes away.
pub(super) fn restrict_before_bind(socket: impl AsFd, mode: Mode) -> rustix::io::Result<()> {
    fchmod(socket, mode)
}

/// The link over a connected socket.
pub(super) fn link(socket: Arc<Socket>, framing: Framing, peer: PeerIdentity, max_packet: usize) -> Link {
    match framing {
        Framing::Native => {
            let max_packet = make_room(&socket, max_packet);
            Link {
                sender: Box::new(seqpacket::Sender::new(Arc::clone(&socket), max_packet)),
                receiver: Box::new(seqpacket::Receiver::new(socket, max_packet)),
                peer,
                max_packet,
            }
        }
        Framing::Prefixed => framed_send::link(socket, peer, max_packet),
    }
}

/// Takes a receiver apart that one of this module's links had.
pub(crate) fn into_parts(receiver: Box<dyn PacketReceiver>) -> io::Result<PipeParts> {
    let receiver: Box<dyn Any> = receiver;
    let receiver = match receiver.downcast::<seqpacket::Receiver>() {
        Ok(receiver) => {
            let (packets, socket) = receiver.into_parts();
            return Ok(PipeParts::new(packets, Vec::new(), socket.duplicate()?));
        }
        Err(receiver) => receiver,
    };
    framed_recv::into_parts(receiver)
}

/// The program a process runs, while it does and we may see it.
pub(crate) fn executable(pid: u32) -> Option<PathBuf> {
    std::fs::read_link(format!("/proc/{pid}/exe")).ok()
}

fn socket_type(framing: Framing) -> SocketType {
    match framing {
        Framing::Native => SocketType::SEQPACKET,
        Framing::Prefixed => SocketType::STREAM,
    }
}

/// How large a packet the send buffer takes, if not `max_packet`; it is enlarged only if that needs it, because most
/// connections never fill it.
fn make_room(socket: &Socket, max_packet: usize) -> usize {
    let room = || {
        let room = socket_send_buffer_size(socket).unwrap_or(SEND_BUFFER);
        room.saturating_sub(SEND_BUFFER_OVERHEAD)
    };
    let usual = room();
    if usual >= max_packet {
        return max_packet;
    }
    enlarge(socket);
    max_packet.min(room())
}

/// Enlarges the send buffer.
pub(super) fn enlarge(socket: &Socket) {
    // Where it is refused the pipe works with smaller packets, or fewer.
    let _ = set_socket_send_buffer_size(socket, SEND_BUFFER);
}
