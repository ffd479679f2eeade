//! A pair of links inside one process, with the manners of a real pipe: whole packets, a bounded queue, an end after
//! all data.

use std::collections::VecDeque;
use std::io::{self, IoSlice};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use super::{
    DEFAULT_MAX_PACKET, Landing, Link, Listener, Packet, PacketReceiver, PacketSender, PeerIdentity,
};

/// How many bytes a direction holds before its sender has to wait, as a pipe's buffer would.
const CAPACITY: usize = 256 * 1024;

/// Makes two connected links.
#[must_use]
pub fn pair() -> (Link, Link) {
    let (there, back) = (Arc::<Lane>::default(), Arc::<Lane>::default());
    (link(&there, &back), link(&back, &there))
}

fn link(outgoing: &Arc<Lane>, incoming: &Arc<Lane>) -> Link {
    let ends = Arc::new(Ends {
        outgoing: Arc::clone(outgoing),
        incoming: Arc::clone(incoming),
    });
    Link {
        sender: Box::new(Sender(Arc::clone(&ends))),
        receiver: Box::new(Receiver(ends)),
        peer: PeerIdentity::in_process(),
        max_packet: DEFAULT_MAX_PACKET,
    }
}

/// Makes a listener and what connects to it.
#[must_use]
pub fn listener() -> (MemoryListener, MemoryConnector) {
    let (sender, receiver) = tokio::sync::mpsc::channel(64);
    (MemoryListener(receiver), MemoryConnector(sender))
}

/// Accepts the links that a [`MemoryConnector`] makes.
#[derive(Debug)]
pub struct MemoryListener(tokio::sync::mpsc::Receiver<Link>);

/// Connects to a [`MemoryListener`].
#[derive(Clone, Debug)]
pub struct MemoryConnector(tokio::sync::mpsc::Sender<Link>);

impl MemoryConnector {
    /// Makes a pair and hands the other end to the listener.
    ///
    /// # Errors
    /// [`io::ErrorKind::ConnectionRefused`] when the listener is closed.
    ///
    /// # Cancel safety
    /// Dropped before it is ready, nothing was connected.
    pub async fn connect(&self) -> io::Result<Link> {
        let (ours, theirs) = pair();
        let closed = |_| {
            io::Error::new(
                io::ErrorKind::ConnectionRefused,
                "the in-memory listener is closed",
            )
        };
        self.0.send(theirs).await.map_err(closed)?;
        Ok(ours)
    }
}

impl Listener for MemoryListener {
    fn poll_accept(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<Link>> {
        let closed = || io::Error::new(io::ErrorKind::NotConnected, "every in-memory connector is gone");
        self.0.poll_recv(cx).map(|link| link.ok_or_else(closed))
    }

    fn close(&mut self) {
        self.0.close();
    }

    fn local_name(&self) -> String {
        "in-memory".to_owned()
    }
}

impl std::fmt::Debug for Link {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Link")
            .field("peer", &self.peer)
            .field("max_packet", &self.max_packet)
            .finish_non_exhaustive()
    }
}

/// One direction of a pair.
#[derive(Default)]
struct Lane(Mutex<Queue>);

#[derive(Default)]
struct Queue {
    packets: VecDeque<Packet>,
    bytes: usize,
    /// The sender's end is gone: what is queued is the rest.
    ended: bool,
    /// The receiver's end is gone: sending fails.
    refused: bool,
    receiver: Option<Waker>,
    sender: Option<Waker>,
}

impl Lane {
    fn lock(&self) -> MutexGuard<'_, Queue> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn end(&self) {
        let waker = {
            let mut queue = self.lock();
            queue.ended = true;
            queue.receiver.take()
        };
        waker.into_iter().for_each(Waker::wake);
    }

    fn refuse(&self) {
        let waker = {
            let mut queue = self.lock();
            queue.refused = true;
            queue.sender.take()
        };
        waker.into_iter().for_each(Waker::wake);
    }
}

impl Queue {
    fn check_open(&self) -> io::Result<()> {
        if self.ended || self.refused {
            return Err(io::Error::new(
                io::ErrorKind::BrokenPipe,
                "the other end of the in-memory pair is closed",
            ));
        }
        Ok(())
    }
}

/// Both lanes as one end sees them; closes them when the last half is dropped.
struct Ends {
    outgoing: Arc<Lane>,
    incoming: Arc<Lane>,
}

impl Ends {
    fn close(&self) {
        self.outgoing.end();
        self.outgoing.refuse();
        self.incoming.refuse();
        self.incoming.end();
    }
}

impl Drop for Ends {
    fn drop(&mut self) {
        self.close();
    }
}

struct Sender(Arc<Ends>);

impl PacketSender for Sender {
    fn try_send(&self, packet: &[IoSlice<'_>]) -> io::Result<()> {
        let len: usize = packet.iter().map(|slice| slice.len()).sum();
        if len == 0 || len > DEFAULT_MAX_PACKET {
            let message = format!("a packet has 1 to {DEFAULT_MAX_PACKET} bytes, not {len}");
            return Err(io::Error::new(io::ErrorKind::InvalidInput, message));
        }
        let mut queue = self.0.outgoing.lock();
        queue.check_open()?;
        if queue.bytes + len > CAPACITY {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        queue.bytes += len;
        queue.packets.push_back(Packet::gather(packet, len));
        let waker = queue.receiver.take();
        drop(queue);
        waker.into_iter().for_each(Waker::wake);
        Ok(())
    }

    fn poll_ready(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let mut queue = self.0.outgoing.lock();
        queue.check_open()?;
        if queue.bytes + DEFAULT_MAX_PACKET <= CAPACITY {
            return Poll::Ready(Ok(()));
        }
        queue.sender = Some(cx.waker().clone());
        Poll::Pending
    }

    fn poll_flush(&self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn close(&self) {
        self.0.close();
    }
}

struct Receiver(Arc<Ends>);

impl PacketReceiver for Receiver {
    fn poll_recv(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<Option<Packet>>> {
        let mut queue = self.0.incoming.lock();
        let Some(packet) = queue.packets.pop_front() else {
            if queue.ended {
                return Poll::Ready(Ok(None));
            }
            queue.receiver = Some(cx.waker().clone());
            return Poll::Pending;
        };
        queue.bytes -= packet.len();
        let waker = queue.sender.take();
        drop(queue);
        waker.into_iter().for_each(Waker::wake);
        Poll::Ready(Ok(Some(packet)))
    }

    fn poll_recv_landing(
        &mut self,
        cx: &mut Context<'_>,
        landing: &mut Landing,
    ) -> Poll<io::Result<Option<Packet>>> {
        let mut polled = self.poll_recv(cx);
        if let Poll::Ready(Ok(Some(packet))) = &mut polled {
            landing.land(packet);
        }
        polled
    }
}
