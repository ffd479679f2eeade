//! The sending half of a stream socket, where each packet has its length before it: u32, little endian.
//!
//! A packet of which the kernel took only a part is finished by a task of its own, so that it is never torn, whatever
//! becomes of the caller.

use std::future::poll_fn;
use std::io::{self, IoSlice};
use std::os::fd::AsFd;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use rpc_core::transport::{Link, PacketSender, PeerIdentity};
use rustix::io::Errno;

use super::framed_recv::Receiver;
use super::send::{check_len, gather, send_slices};
use super::socket::Socket;
use super::write_gate::WriteGate;

/// The two halves over one stream socket.
pub(super) fn link(socket: Arc<Socket>, peer: PeerIdentity, max_packet: usize) -> Link {
    Link {
        sender: Box::new(Sender::new(Arc::clone(&socket), max_packet)),
        receiver: Box::new(Receiver::new(socket, max_packet)),
        peer,
        max_packet,
    }
}

/// Sends packets with their length before them.
#[derive(Debug)]
pub(super) struct Sender {
    outgoing: Arc<Outgoing>,
    max_packet: usize,
}

impl Sender {
    fn new(socket: Arc<Socket>, max_packet: usize) -> Self {
        let outgoing = Arc::new(Outgoing {
            socket,
            gate: WriteGate::default(),
            rest: Mutex::default(),
        });
        Self { outgoing, max_packet }
    }

    /// Sends the prefix and the packet, or as much as the kernel takes; what it did not take stays in `rest`.
    fn begin(&self, slices: &[IoSlice<'_>], len: usize) -> io::Result<Progress> {
        let mut rest = self.outgoing.lock();
        rest.check()?;
        if !rest.bytes.is_empty() {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        let taken = send_slices(self.outgoing.socket.as_fd(), slices, &self.outgoing.gate)?;
        if taken == len {
            return Ok(Progress::Whole);
        }
        rest.bytes = gather(slices);
        rest.sent = taken;
        Ok(Progress::Part)
    }
}

enum Progress {
    Whole,
    Part,
}

impl PacketSender for Sender {
    fn try_send(&self, packet: &[IoSlice<'_>]) -> io::Result<()> {
        let len = check_len(packet, self.max_packet)?;
        let prefix = u32::try_from(len)
            .expect("a packet's length was checked")
            .to_le_bytes();
        let mut slices = Vec::with_capacity(packet.len() + 1);
        slices.push(IoSlice::new(&prefix));
        slices.extend(packet.iter().map(|slice| IoSlice::new(slice)));

        if let Progress::Part = self.begin(&slices, prefix.len() + len)? {
            // Outside the lock: a runtime that has ended drops the task at once, and that takes the lock.
            let unfinished = Unfinished::new(&self.outgoing);
            self.outgoing.socket.runtime().spawn(unfinished.finish());
        }
        Ok(())
    }

    fn poll_ready(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let mut rest = self.outgoing.lock();
        rest.check()?;
        // Kept also when nothing is unfinished now: a task begun from another thread takes the gate's only place for
        // a waker.
        rest.waiting = Some(cx.waker().clone());
        if !rest.bytes.is_empty() {
            return Poll::Pending;
        }
        self.outgoing.gate.poll_open(cx, &self.outgoing.socket)
    }

    fn poll_flush(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let mut rest = self.outgoing.lock();
        rest.check()?;
        if rest.bytes.is_empty() {
            return Poll::Ready(Ok(()));
        }
        rest.waiting = Some(cx.waker().clone());
        Poll::Pending
    }

    fn close(&self) {
        self.outgoing.socket.close();
    }
}

#[derive(Debug)]
struct Outgoing {
    socket: Arc<Socket>,
    gate: WriteGate,
    rest: Mutex<Rest>,
}

/// The packet of which the kernel has only a part.
#[derive(Debug, Default)]
struct Rest {
    /// The packet with its prefix; empty when nothing is unfinished.
    bytes: Vec<u8>,
    sent: usize,
    waiting: Option<Waker>,
    broken: Option<io::ErrorKind>,
}

impl Rest {
    fn check(&self) -> io::Result<()> {
        match self.broken {
            Some(kind) => Err(io::Error::new(kind, "the pipe broke in the middle of a packet")),
            None => Ok(()),
        }
    }
}

impl Outgoing {
    fn lock(&self) -> MutexGuard<'_, Rest> {
        self.rest.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Hands over as much of the rest as the kernel takes; ready when it has all.
    fn poll_finish(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let mut rest = self.lock();
        while rest.sent < rest.bytes.len() {
            match send_slices(
                self.socket.as_fd(),
                &[IoSlice::new(&rest.bytes[rest.sent..])],
                &self.gate,
            ) {
                Ok(taken) => rest.sent += taken,
                // The lock is held while the gate is polled, so that a caller in `poll_ready` cannot come between.
                Err(Errno::AGAIN) => std::task::ready!(self.gate.poll_open(cx, &self.socket))?,
                Err(error) => return Poll::Ready(Err(error.into())),
            }
        }
        Poll::Ready(Ok(()))
    }

    fn end_packet(&self, outcome: io::Result<()>) {
        let waiting = {
            let mut rest = self.lock();
            rest.bytes = Vec::new();
            rest.broken = outcome.err().map(|error| error.kind());
            rest.waiting.take()
        };
        waiting.into_iter().for_each(Waker::wake);
    }
}

/// Finishes a packet; when dropped before, because the runtime ends, the pipe is broken.
struct Unfinished {
    outgoing: Arc<Outgoing>,
    /// Told apart from an empty rest: the next packet may be unfinished by the time this is dropped.
    ended: bool,
}

impl Unfinished {
    fn new(outgoing: &Arc<Outgoing>) -> Self {
        Self {
            outgoing: Arc::clone(outgoing),
            ended: false,
        }
    }

    async fn finish(mut self) {
        let outcome = poll_fn(|cx| self.outgoing.poll_finish(cx)).await;
        self.ended = true;
        self.outgoing.end_packet(outcome);
    }
}

impl Drop for Unfinished {
    fn drop(&mut self) {
        if !self.ended {
            self.outgoing.end_packet(Err(io::ErrorKind::BrokenPipe.into()));
        }
    }
}
