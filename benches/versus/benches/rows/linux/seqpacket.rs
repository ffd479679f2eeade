//! A SEQPACKET socket on tokio, as a careful program would use it: what the pipe can do, and the measure of what is above.

use std::future::poll_fn;
use std::io;
use std::os::fd::OwnedFd;
use std::path::Path;
use std::task::{Context, Poll, ready};

use rustix::io::{Errno, fcntl_dupfd_cloexec};
use rustix::net::sockopt::set_socket_send_buffer_size;
use rustix::net::{
    AddressFamily, RecvFlags, SendFlags, SocketAddrUnix, SocketFlags, SocketType, accept_with, bind, connect,
    listen, recv, send, socket_with,
};
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;

/// The size of the packets that a large body consists of.
pub(super) const PACKET: usize = 64 * 1024;

/// What the kernel is asked for, and doubles: room for six packets.
pub(super) const SEND_BUFFER: usize = 212_992;

/// How many clients may wait to be accepted: more than a workload connects at once.
pub(super) const BACKLOG: i32 = 4096;

const FLAGS: SocketFlags = SocketFlags::CLOEXEC.union(SocketFlags::NONBLOCK);

pub(super) struct Listener(AsyncFd<OwnedFd>);

impl Listener {
    pub(super) fn bind(path: &Path) -> io::Result<Self> {
        let socket = new_socket()?;
        bind(&socket, &SocketAddrUnix::new(path)?)?;
        listen(&socket, BACKLOG)?;
        Ok(Self(registered(socket, Interest::READABLE)?))
    }

    pub(super) async fn accept(&self) -> io::Result<Socket> {
        loop {
            let mut ready = self.0.readable().await?;
            match accept_with(self.0.get_ref(), FLAGS) {
                Ok(socket) => return Socket::new(socket),
                Err(Errno::AGAIN) => ready.clear_ready(),
                Err(error) => return Err(error.into()),
            }
        }
    }
}

/// Registered for reading only: an AF_UNIX socket wakes its writer for each packet that the peer takes.
pub(super) struct Socket(AsyncFd<OwnedFd>);

impl Socket {
    pub(super) fn connect(path: &Path) -> io::Result<Self> {
        let socket = new_socket()?;
        connect(&socket, &SocketAddrUnix::new(path)?)?;
        Self::new(socket)
    }

    fn new(socket: OwnedFd) -> io::Result<Self> {
        set_socket_send_buffer_size(&socket, SEND_BUFFER)?;
        Ok(Self(registered(socket, Interest::READABLE)?))
    }

    pub(super) async fn send(&self, packet: &[u8]) -> io::Result<()> {
        while let Err(error) = self.try_send(packet) {
            if error.kind() != io::ErrorKind::WouldBlock {
                return Err(error);
            }
            self.room().await?;
        }
        Ok(())
    }

    /// Sends it at once or not at all.
    pub(super) fn try_send(&self, packet: &[u8]) -> io::Result<()> {
        let flags = SendFlags::NOSIGNAL | SendFlags::EOR | SendFlags::DONTWAIT;
        send(self.0.get_ref(), packet, flags)?;
        Ok(())
    }

    /// The length of the next packet, 0 at the end.
    pub(super) async fn recv(&self, buffer: &mut [u8]) -> io::Result<usize> {
        poll_fn(|cx| self.poll_recv(cx, buffer)).await
    }

    /// The same for a task that does other things too.
    pub(super) fn poll_recv(&self, cx: &mut Context<'_>, buffer: &mut [u8]) -> Poll<io::Result<usize>> {
        loop {
            let mut ready = ready!(self.0.poll_read_ready(cx))?;
            match recv(self.0.get_ref(), &mut *buffer, RecvFlags::DONTWAIT) {
                Ok((len, _)) => return Poll::Ready(Ok(len)),
                Err(Errno::AGAIN) => ready.clear_ready(),
                Err(Errno::CONNRESET) => return Poll::Ready(Ok(0)),
                Err(error) => return Poll::Ready(Err(error.into())),
            }
        }
    }

    /// Waits until the socket takes more. Registered for writing is a duplicate, and only for so long.
    async fn room(&self) -> io::Result<()> {
        let duplicate = fcntl_dupfd_cloexec(self.0.get_ref(), 0)?;
        registered(duplicate, Interest::WRITABLE)?
            .writable()
            .await?
            .retain_ready();
        Ok(())
    }
}

impl Socket {
    /// Sends a body in packets of 64 KiB.
    pub(super) async fn send_body(&self, body: &[u8]) -> io::Result<()> {
        for packet in body.chunks(PACKET) {
            self.send(packet).await?;
        }
        Ok(())
    }

    /// Fills the body with what comes; says how much of it is filled, which is less at the end of the connection only.
    pub(super) async fn recv_body(&self, body: &mut [u8]) -> io::Result<usize> {
        let mut filled = 0;
        while filled < body.len() {
            match self.recv(&mut body[filled..]).await? {
                0 => break,
                len => filled += len,
            }
        }
        Ok(filled)
    }
}

fn new_socket() -> rustix::io::Result<OwnedFd> {
    socket_with(AddressFamily::UNIX, SocketType::SEQPACKET, FLAGS, None)
}

#[expect(
    deprecated,
    reason = "its successor is unsafe, for the sake of types that are not owned descriptors"
)]
fn registered(socket: OwnedFd, interest: Interest) -> io::Result<AsyncFd<OwnedFd>> {
    AsyncFd::with_interest(socket, interest)
}
