//! The two halves of a SEQPACKET socket: the kernel keeps the packets apart.

use std::cell::Cell;
use std::io::{self, IoSlice};
use std::mem;
use std::os::fd::AsFd;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};

use rpc_core::transport::{Landing, Packet, PacketBuffer, PacketReceiver, PacketSender};
use rustix::io::Errno;

use super::linux::enlarge;
use super::recvmmsg_unsafe::{Arrival, receive_landing, receive_some};
use super::send::{check_len, send_slices, wrong_size};
use super::socket::Socket;
use super::write_gate::WriteGate;

/// Sends packets; a packet is the kernel's at once or not at all.
#[derive(Debug)]
pub(super) struct Sender {
    socket: Arc<Socket>,
    gate: WriteGate,
    max_packet: usize,
    /// Has filled the buffer that the kernel gives to all, and got a larger one.
    enlarged: AtomicBool,
}

impl Sender {
    pub(super) fn new(socket: Arc<Socket>, max_packet: usize) -> Self {
        Self {
            socket,
            gate: WriteGate::default(),
            max_packet,
            enlarged: AtomicBool::new(false),
        }
    }
}

impl PacketSender for Sender {
    fn try_send(&self, packet: &[IoSlice<'_>]) -> io::Result<()> {
        let len = check_len(packet, self.max_packet)?;
        match send_slices(self.socket.as_fd(), packet, &self.gate) {
            Ok(_) => Ok(()),
            Err(Errno::AGAIN) if !self.enlarged.swap(true, Ordering::Relaxed) => {
                enlarge(&self.socket);
                self.gate.reopen();
                self.try_send(packet)
            }
            Err(Errno::MSGSIZE) => Err(wrong_size(len, self.max_packet)),
            Err(error) => Err(error.into()),
        }
    }

    fn poll_ready(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.gate.poll_open(cx, &self.socket)
    }

    fn poll_flush(&self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn close(&self) {
        self.socket.close();
    }
}

/// Receives packets, two at a time where they wait.
#[derive(Debug)]
pub(super) struct Receiver {
    socket: Arc<Socket>,
    inbox: Inbox,
}

/// What was received, and how.
#[derive(Debug)]
struct Inbox {
    max_packet: usize,
    /// The second of two packets.
    parked: Option<io::Result<Packet>>,
    /// The last look has seen that there is no more: the next one is in vain.
    emptied: bool,
    /// Is to look before the runtime says that there is something. A client speaks first, and has done so by the time it
    /// is accepted: its greeting then costs neither a wait nor the timer that limits it, a tenth of what a server does
    /// for a connection.
    unasked: bool,
    ended: bool,
}

impl Receiver {
    pub(super) fn new(socket: Arc<Socket>, max_packet: usize) -> Self {
        let inbox = Inbox {
            max_packet,
            parked: None,
            emptied: false,
            unasked: socket.was_accepted(),
            ended: false,
        };
        Self { socket, inbox }
    }

    /// What was read and not yet taken, and the socket.
    pub(super) fn into_parts(self) -> (Vec<Packet>, Arc<Socket>) {
        let parked = self.inbox.parked.and_then(Result::ok);
        (parked.into_iter().collect(), self.socket)
    }

    /// Waits until `receive` has something.
    fn poll_receive(
        &mut self,
        cx: &mut Context<'_>,
        mut receive: impl FnMut(&mut Inbox, &Socket) -> io::Result<Option<Packet>>,
    ) -> Poll<io::Result<Option<Packet>>> {
        let Self { socket, inbox } = self;
        loop {
            if let Some(parked) = inbox.parked.take() {
                return Poll::Ready(parked.map(Some));
            }
            if inbox.ended {
                return Poll::Ready(Ok(None));
            }
            let unasked = mem::take(&mut inbox.unasked);
            let may_have_more = !mem::take(&mut inbox.emptied);
            let mut received = None;
            let mut look = || {
                let found = received.insert(receive(inbox, socket));
                inbox.emptied |= matches!(found, Err(error) if error.kind() == io::ErrorKind::WouldBlock);
                inbox.emptied
            };
            // The runtime is asked to tell of more only when there is nothing: that takes longer than to look.
            let has_looked = may_have_more && socket.if_readable(&mut look);
            if !has_looked && socket.poll_readable(cx)?.is_pending() {
                if !unasked {
                    return Poll::Pending;
                }
                look();
            }
            match received {
                None => {}
                Some(Err(error)) if error.kind() == io::ErrorKind::WouldBlock => {}
                // The peer closed with our data unread. The kernel says so once, before what the peer had sent: that
                // is read on to its end.
                Some(Err(error)) if error.kind() == io::ErrorKind::ConnectionReset => {}
                Some(received) => return Poll::Ready(received),
            }
        }
    }
}

impl Inbox {
    /// Receives what is there, up to two packets, and parks all of it but the first.
    fn receive(&mut self, socket: &Socket) -> io::Result<Option<Packet>> {
        let mut buffer = PacketBuffer::take(self.max_packet);
        // Two large buffers for what is most often one packet would cost more than asking once more.
        if self.max_packet > PacketBuffer::REUSED {
            let (first, _) = receive_some(socket.as_fd(), &mut buffer, None)?;
            return self.take(socket, first, buffer);
        }
        let kept = ANOTHER.try_with(Cell::take).ok().flatten();
        let mut another = kept.unwrap_or_else(|| PacketBuffer::take(self.max_packet));
        let (first, second) = receive_some(socket.as_fd(), &mut buffer, Some(&mut another))?;
        self.emptied = second.is_none();
        if let Some(second) = second {
            self.parked = self.take(socket, second, another).transpose();
        } else {
            // A thread that is ending keeps none.
            let _ = ANOTHER.try_with(|place| place.set(Some(another)));
        }
        self.take(socket, first, buffer)
    }

    /// Receives one packet, with the middle of it into the landing.
    fn receive_landing(&mut self, socket: &Socket, landing: &mut Landing) -> io::Result<Option<Packet>> {
        let mut buffer = PacketBuffer::take(self.max_packet);
        let arrival = receive_landing(socket.as_fd(), &mut buffer, landing)?;
        self.take(socket, arrival, buffer)
    }

    #[inline]
    fn take(
        &mut self,
        socket: &Socket,
        arrival: Arrival,
        buffer: PacketBuffer,
    ) -> io::Result<Option<Packet>> {
        if arrival.len == 0 {
            // The end; an empty packet looks the same, and ends the pipe as well.
            self.ended = true;
            return Ok(None);
        }
        if arrival.cut || arrival.len > self.max_packet {
            self.ended = true;
            socket.close();
            let message = format!("the peer sent a packet of more than {} bytes", self.max_packet);
            return Err(io::Error::new(io::ErrorKind::InvalidData, message));
        }
        if arrival.carried_more {
            self.ended = true;
            socket.close();
            let message = "the peer sent descriptors or credentials along, which nobody asked for";
            return Err(io::Error::new(io::ErrorKind::InvalidData, message));
        }
        Ok(Some(buffer.into_packet(arrival.len)))
    }
}

thread_local! {
    /// A buffer for a second packet. It stays here until one comes, because giving it back and taking it for each look would
    /// be 30 instructions of a call at each end.
    static ANOTHER: Cell<Option<PacketBuffer>> = const { Cell::new(None) };
}

impl PacketReceiver for Receiver {
    fn poll_recv(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<Option<Packet>>> {
        self.poll_receive(cx, Inbox::receive)
    }

    fn poll_recv_landing(
        &mut self,
        cx: &mut Context<'_>,
        landing: &mut Landing,
    ) -> Poll<io::Result<Option<Packet>>> {
        self.poll_receive(cx, |inbox, socket| inbox.receive_landing(socket, landing))
    }
}
