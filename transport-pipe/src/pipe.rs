//! A connected pipe, for those who use packets without calls.

use std::future::poll_fn;
use std::io::{self, IoSlice};
use std::sync::{Arc, Weak};
use std::task::{Context, Poll};

use rpc_core::transport::{Landing, Link, Packet, PacketReceiver, PacketSender, PeerIdentity};

use crate::connect::PipeBuilder;
use crate::error::{ConnectError, NameError};
use crate::name::PipeName;
use crate::sys;

/// A connected pipe: whole packets in both directions, in order.
///
/// Dropping it closes it; what was sent can still be read by the peer.
#[derive(Debug)]
pub struct Pipe {
    sender: PipeSender,
    receiver: PipeReceiver,
    peer: PeerIdentity,
    max_packet: usize,
}

impl Pipe {
    /// Connects to the server of that name, with the default options.
    ///
    /// # Errors
    /// [`ConnectError`]; nothing was sent.
    ///
    /// # Cancel safety
    /// Dropped before it is ready, nothing is connected and nothing was sent.
    ///
    /// # Panics
    /// If the current tokio runtime has no I/O or no time driver.
    pub async fn connect<N>(name: N) -> Result<Self, ConnectError>
    where
        N: TryInto<PipeName>,
        NameError: From<N::Error>,
    {
        Self::builder(name).connect().await
    }

    /// Begins a pipe with options.
    pub fn builder<N>(name: N) -> PipeBuilder
    where
        N: TryInto<PipeName>,
        NameError: From<N::Error>,
    {
        PipeBuilder::new(name)
    }

    /// Sends one packet; ready when the operating system has all of it.
    ///
    /// # Errors
    /// - [`io::ErrorKind::InvalidInput`]: empty, or larger than [`max_packet`](Self::max_packet); the pipe lives.
    /// - any other: the pipe is broken or closed.
    ///
    /// # Cancel safety
    /// Dropped before it is ready, the packet was taken whole, and reaches the peer, or not at all.
    pub async fn send(&mut self, packet: &[u8]) -> io::Result<()> {
        self.sender.send(packet).await
    }

    /// Receives the next packet; `None` is the end, after all that the peer sent.
    ///
    /// # Errors
    /// [`io::ErrorKind::InvalidData`] for a torn or oversized packet; any other: the pipe broke.
    ///
    /// # Cancel safety
    /// Dropped before it is ready, nothing is lost: the next call goes on where it was.
    pub async fn recv(&mut self) -> io::Result<Option<Packet>> {
        self.receiver.recv().await
    }

    /// Lends both halves, to send and receive at once in one task.
    pub fn split(&mut self) -> (&mut PipeSender, &mut PipeReceiver) {
        (&mut self.sender, &mut self.receiver)
    }

    /// Takes the halves apart for two tasks. The pipe closes when both are dropped.
    #[must_use]
    pub fn into_split(self) -> (PipeSender, PipeReceiver) {
        (self.sender, self.receiver)
    }

    /// Hands over the pipe itself, with all that was read from it and not yet taken.
    ///
    /// # Errors
    /// What the system says when the handle cannot be duplicated, or [`io::ErrorKind::Unsupported`] for a pipe that
    /// has none.
    ///
    /// # Cancel safety
    /// Dropped before it is ready, the pipe is closed.
    pub async fn into_parts(mut self) -> io::Result<PipeParts> {
        // A broken pipe cannot be flushed; what was read from it is handed over all the same.
        let _ = self.sender.flush().await;
        sys::into_parts(self.receiver.0)
    }

    /// Closes the pipe in both directions. Idempotent.
    pub fn close(&self) {
        self.sender.close();
    }

    /// Something that closes the pipe from anywhere.
    #[must_use]
    pub fn closer(&self) -> Closer {
        self.sender.closer()
    }

    /// Who is at the other end, as the operating system told when the pipe was made.
    #[must_use]
    pub fn peer(&self) -> &PeerIdentity {
        &self.peer
    }

    /// The largest packet this pipe carries, in bytes.
    #[must_use]
    pub fn max_packet(&self) -> usize {
        self.max_packet
    }
}

impl From<Link> for Pipe {
    fn from(link: Link) -> Self {
        Self {
            sender: PipeSender(Arc::from(link.sender)),
            receiver: PipeReceiver(link.receiver),
            peer: link.peer,
            max_packet: link.max_packet,
        }
    }
}

impl From<Pipe> for Link {
    fn from(pipe: Pipe) -> Self {
        Self {
            sender: Box::new(pipe.sender),
            receiver: pipe.receiver.0,
            peer: pipe.peer,
            max_packet: pipe.max_packet,
        }
    }
}

/// What a pipe consists of, for those who go on with it by other means.
#[derive(Debug)]
#[non_exhaustive]
pub struct PipeParts {
    /// Whole packets that were read and not yet taken, oldest first.
    pub packets: Vec<Packet>,
    /// The beginning of a packet, with its prefix, where packets have one and the rest is still to come.
    pub partial: Vec<u8>,
    /// The pipe itself, non-blocking.
    pub handle: sys::OsHandle,
}

impl PipeParts {
    pub(crate) fn new(packets: Vec<Packet>, partial: Vec<u8>, handle: sys::OsHandle) -> Self {
        Self {
            packets,
            partial,
            handle,
        }
    }
}

/// The half of a pipe that sends.
pub struct PipeSender(Arc<dyn PacketSender>);

impl PipeSender {
    /// Sends one packet; ready when the operating system has all of it.
    ///
    /// # Errors
    /// As [`Pipe::send`].
    ///
    /// # Cancel safety
    /// Dropped before it is ready, the packet was taken whole, and reaches the peer, or not at all.
    pub async fn send(&mut self, packet: &[u8]) -> io::Result<()> {
        let packet = [IoSlice::new(packet)];
        while let Err(error) = self.0.try_send(&packet) {
            if error.kind() != io::ErrorKind::WouldBlock {
                return Err(error);
            }
            poll_fn(|cx| self.0.poll_ready(cx)).await?;
        }
        self.flush().await
    }

    /// Ready when the operating system has all that was sent.
    async fn flush(&mut self) -> io::Result<()> {
        poll_fn(|cx| self.0.poll_flush(cx)).await
    }

    /// Closes the pipe in both directions. Idempotent.
    pub fn close(&self) {
        self.0.close();
    }

    /// Something that closes the pipe from anywhere.
    #[must_use]
    pub fn closer(&self) -> Closer {
        Closer(Arc::downgrade(&self.0))
    }
}

impl PacketSender for PipeSender {
    fn try_send(&self, packet: &[IoSlice<'_>]) -> io::Result<()> {
        self.0.try_send(packet)
    }

    fn poll_ready(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.0.poll_ready(cx)
    }

    fn poll_flush(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.0.poll_flush(cx)
    }

    fn close(&self) {
        self.0.close();
    }

    fn packet_cost(&self) -> usize {
        self.0.packet_cost()
    }
}

impl std::fmt::Debug for PipeSender {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PipeSender").finish_non_exhaustive()
    }
}

/// The half of a pipe that receives.
pub struct PipeReceiver(Box<dyn PacketReceiver>);

impl PipeReceiver {
    /// Receives the next packet; `None` is the end, after all that the peer sent.
    ///
    /// # Errors
    /// As [`Pipe::recv`].
    ///
    /// # Cancel safety
    /// Dropped before it is ready, nothing is lost: the next call goes on where it was.
    pub async fn recv(&mut self) -> io::Result<Option<Packet>> {
        poll_fn(|cx| self.0.poll_recv(cx)).await
    }
}

impl PacketReceiver for PipeReceiver {
    fn poll_recv(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<Option<Packet>>> {
        self.0.poll_recv(cx)
    }

    fn poll_recv_landing(
        &mut self,
        cx: &mut Context<'_>,
        landing: &mut Landing,
    ) -> Poll<io::Result<Option<Packet>>> {
        self.0.poll_recv_landing(cx, landing)
    }

    fn is_slow_to_wait(&self) -> bool {
        self.0.is_slow_to_wait()
    }
}

impl std::fmt::Debug for PipeReceiver {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PipeReceiver").finish_non_exhaustive()
    }
}

/// Closes a pipe from any thread. It does not keep the pipe open.
#[derive(Clone)]
pub struct Closer(Weak<dyn PacketSender>);

impl Closer {
    /// Closes the pipe in both directions. Idempotent; nothing happens if the pipe is gone already.
    pub fn close(&self) {
        if let Some(sender) = self.0.upgrade() {
            sender.close();
        }
    }
}

impl std::fmt::Debug for Closer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Closer").finish_non_exhaustive()
    }
}
