//! A SEQPACKET socket whose calls wait in the kernel.

use std::io;
use std::os::fd::OwnedFd;
use std::path::Path;

use rustix::io::Errno;
use rustix::net::sockopt::set_socket_send_buffer_size;
use rustix::net::{
    AddressFamily, RecvFlags, SendFlags, SocketAddrUnix, SocketFlags, SocketType, accept_with, bind, connect,
    listen, recv, send, socket_with,
};

use super::seqpacket::{BACKLOG, PACKET, SEND_BUFFER};

pub(super) struct Listener(OwnedFd);

impl Listener {
    pub(super) fn bind(path: &Path) -> io::Result<Self> {
        let socket = new_socket()?;
        bind(&socket, &SocketAddrUnix::new(path)?)?;
        listen(&socket, BACKLOG)?;
        Ok(Self(socket))
    }

    pub(super) fn accept(&self) -> io::Result<Socket> {
        Socket::new(accept_with(&self.0, SocketFlags::CLOEXEC)?)
    }
}

pub(super) struct Socket(OwnedFd);

impl Socket {
    pub(super) fn connect(path: &Path) -> io::Result<Self> {
        let socket = new_socket()?;
        connect(&socket, &SocketAddrUnix::new(path)?)?;
        Self::new(socket)
    }

    fn new(socket: OwnedFd) -> io::Result<Self> {
        set_socket_send_buffer_size(&socket, SEND_BUFFER)?;
        Ok(Self(socket))
    }

    pub(super) fn send(&self, packet: &[u8]) -> io::Result<()> {
        send(&self.0, packet, SendFlags::NOSIGNAL | SendFlags::EOR)?;
        Ok(())
    }

    /// The length of the next packet, 0 at the end.
    pub(super) fn recv(&self, buffer: &mut [u8]) -> io::Result<usize> {
        match recv(&self.0, buffer, RecvFlags::empty()) {
            Ok((len, _)) => Ok(len),
            Err(Errno::CONNRESET) => Ok(0),
            Err(error) => Err(error.into()),
        }
    }

    pub(super) fn send_body(&self, body: &[u8]) -> io::Result<()> {
        body.chunks(PACKET).try_for_each(|packet| self.send(packet))
    }

    /// Fills the body with what comes; says how much of it is filled, which is less at the end of the connection only.
    pub(super) fn recv_body(&self, body: &mut [u8]) -> io::Result<usize> {
        let mut filled = 0;
        while filled < body.len() {
            match self.recv(&mut body[filled..])? {
                0 => break,
                len => filled += len,
            }
        }
        Ok(filled)
    }
}

fn new_socket() -> rustix::io::Result<OwnedFd> {
    socket_with(
        AddressFamily::UNIX,
        SocketType::SEQPACKET,
        SocketFlags::CLOEXEC,
        None,
    )
}
