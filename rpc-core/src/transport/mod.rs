//! The port: what a pipe must be able to do for a connection to run over it.
//!
//! A transport hands over a [`Link`]: a sender that any thread may use, a receiver that one task owns, and who the
//! peer is. [`memory`] is a pair that lives in one process, for tests.

use std::any::Any;
use std::io::{self, IoSlice};
use std::task::{Context, Poll};

mod identity;
mod landing;
pub mod memory;
mod packet;
mod principal;

pub use identity::{Account, PeerIdentity};
pub use landing::Landing;
pub use packet::{Packet, PacketBuffer};
pub use principal::{NotASid, Principal, PrincipalId};

/// The largest packet, in bytes, that every transport carries and that both ends use unless they agree on another.
pub const DEFAULT_MAX_PACKET: usize = 64 * 1024;

/// One end of a connected pipe, ready for a connection to run over.
pub struct Link {
    /// The half that sends; any thread may use it.
    pub sender: Box<dyn PacketSender>,
    /// The half that receives; one task owns it.
    pub receiver: Box<dyn PacketReceiver>,
    /// Who is at the other end, as the operating system says.
    pub peer: PeerIdentity,
    /// The largest packet this pipe carries, in bytes.
    pub max_packet: usize,
}

/// The sending half of a pipe.
///
/// All methods take `&self` and may be called from any thread; at most one task at a time waits in
/// [`poll_ready`](Self::poll_ready) or [`poll_flush`](Self::poll_flush) (the last one polled is woken).
pub trait PacketSender: Send + Sync + 'static {
    /// Takes the packet, which is the slices one after the other, whole or not at all, without waiting.
    ///
    /// After `Ok` the packet is the transport's: it reaches the peer unless the pipe breaks, whatever the caller does.
    /// A failure that shows later is told by the next call of any method.
    ///
    /// # Errors
    /// - [`io::ErrorKind::WouldBlock`]: nothing was taken; wait in [`poll_ready`](Self::poll_ready).
    /// - [`io::ErrorKind::InvalidInput`]: empty, or larger than the pipe's limit; nothing was taken, the pipe lives.
    /// - any other: the pipe is broken or closed.
    fn try_send(&self, packet: &[IoSlice<'_>]) -> io::Result<()>;

    /// Ready when [`try_send`](Self::try_send) may take another packet, or when the pipe is broken or closed.
    ///
    /// # Errors
    /// The pipe's, once it is broken or closed.
    fn poll_ready(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>>;

    /// Ready when the operating system has every packet taken so far.
    ///
    /// # Errors
    /// The pipe's, once it is broken or closed; a packet that could not be handed over says so here.
    fn poll_flush(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>>;

    /// Closes the pipe in both directions. What was flushed can still be read by the peer. Idempotent; wakes whoever
    /// waits in any method of either half.
    fn close(&self);

    /// How many small calls take both ends as long to handle as one packet takes to be sent and received, at least 1.
    ///
    /// Frames of many callers gather until they are worth a packet. The default, 16, is that of a Unix socket.
    fn packet_cost(&self) -> usize {
        16
    }
}

/// The receiving half of a pipe.
///
/// Reading is never cancelled: a caller that stops polling loses nothing, the next poll goes on where it was. Dropping
/// a receiver ends the reading of its pipe. It is [`Any`], so that the transport that made a receiver can take it apart.
pub trait PacketReceiver: Any + Send {
    /// Receives the next whole packet; `None` is the end, after all that the peer wrote.
    ///
    /// # Errors
    /// - [`io::ErrorKind::InvalidData`]: a torn or oversized packet, or one of length zero where the system can tell
    ///   it from the end.
    /// - any other: the pipe broke. Everything that was readable was given before.
    fn poll_recv(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<Option<Packet>>>;

    /// The same; what comes behind the head of the packet may be received into the landing.
    ///
    /// A transport that cannot do that leaves the landing as it is, which costs a copy.
    ///
    /// # Errors
    /// As [`poll_recv`](Self::poll_recv).
    fn poll_recv_landing(
        &mut self,
        cx: &mut Context<'_>,
        landing: &mut Landing,
    ) -> Poll<io::Result<Option<Packet>>> {
        let _ = landing;
        self.poll_recv(cx)
    }

    /// Whether to wait for a packet takes a system call, as to start a read does. What the last packet was about is then done,
    /// and has been sent, before the next one is waited for.
    fn is_slow_to_wait(&self) -> bool {
        false
    }
}

/// What accepts links: a pipe server, or the in-memory listener.
///
/// Dropping a listener closes it; links already handed over live on.
pub trait Listener: Send + 'static {
    /// Accepts the next client. A poll that is not repeated loses no client.
    ///
    /// # Errors
    /// Only when the listener is closed for good; faults of single clients are not errors of the listener.
    fn poll_accept(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<Link>>;

    /// Stops listening. Clients accepted and not yet taken are closed. Idempotent.
    fn close(&mut self);

    /// The name clients connect to, for messages.
    fn local_name(&self) -> String;
}
