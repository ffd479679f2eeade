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

use super::seqpacket::{BACKLOG, SEND_BUFFER};

pub(crate) struct Listener(OwnedFd);

impl Listener {
    pub(crate) fn bind(path: &Path) -> io::Result<Self> {
        let socket = new_socket()?;
        bind(&socket, &SocketAddrUnix::new(path)?)?;
        listen(&socket, BACKLOG)?;
        Ok(Self(socket))
    }

    pub(crate) fn accept(&mut self) -> io::Result<Pipe> {
        Pipe::new(accept_with(&self.0, SocketFlags::CLOEXEC)?)
    }
}

pub(crate) struct Pipe(OwnedFd);

impl Pipe {
    pub(crate) fn connect(path: &Path) -> io::Result<Self> {
        let socket = new_socket()?;
        connect(&socket, &SocketAddrUnix::new(path)?)?;
        Self::new(socket)
    }

    fn new(socket: OwnedFd) -> io::Result<Self> {
        set_socket_send_buffer_size(&socket, SEND_BUFFER)?;
        Ok(Self(socket))
    }

    pub(crate) fn send(&mut self, packet: &[u8]) -> io::Result<()> {
        send(&self.0, packet, SendFlags::NOSIGNAL | SendFlags::EOR)?;
        Ok(())
    }

    /// The length of the next packet, 0 at the end.
    pub(crate) fn recv(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match recv(&self.0, buffer, RecvFlags::empty()) {
            Ok((len, _)) => Ok(len),
            Err(Errno::CONNRESET) => Ok(0),
            Err(error) => Err(error.into()),
        }
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
