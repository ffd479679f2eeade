//! The receiving half of a stream socket, where each packet has its length before it: u32, little endian.

use std::any::Any;
use std::io::{self, IoSliceMut};
use std::os::fd::AsFd;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use rpc_core::transport::{Packet, PacketBuffer, PacketReceiver};
use rustix::io::{Errno, readv};

use super::socket::Socket;
use crate::pipe::PipeParts;

const PREFIX: usize = 4;

/// Takes a framed receiver apart.
pub(super) fn into_parts(receiver: Box<dyn Any>) -> io::Result<PipeParts> {
    let receiver = receiver.downcast::<Receiver>().map_err(|_| {
        let message = "this pipe is not one of the operating system's";
        io::Error::new(io::ErrorKind::Unsupported, message)
    })?;
    let handle = receiver.socket.duplicate()?;
    Ok(PipeParts::new(Vec::new(), receiver.partial(), handle))
}

/// Receives packets; each read takes the rest of one packet and the prefix of the next.
#[derive(Debug)]
pub(super) struct Receiver {
    socket: Arc<Socket>,
    max_packet: usize,
    prefix: [u8; PREFIX],
    prefix_len: usize,
    body: Option<Body>,
    /// The kernel said once that the peer closed with our data unread.
    reset: bool,
    ended: bool,
}

/// A packet whose length is known.
struct Body {
    buffer: PacketBuffer,
    len: usize,
    filled: usize,
}

impl Receiver {
    pub(super) fn new(socket: Arc<Socket>, max_packet: usize) -> Self {
        Self {
            socket,
            max_packet,
            prefix: [0; PREFIX],
            prefix_len: 0,
            body: None,
            reset: false,
            ended: false,
        }
    }

    /// The bytes of the packet that has not come whole yet, with its prefix.
    fn partial(&self) -> Vec<u8> {
        let Some(body) = &self.body else {
            return self.prefix[..self.prefix_len].to_vec();
        };
        let prefix = u32::try_from(body.len).expect("a length that came as u32");
        [&prefix.to_le_bytes(), &body.buffer[..body.filled]].concat()
    }

    /// Begins the packet whose prefix is complete.
    fn begin_body(&mut self) -> io::Result<()> {
        let len = u32::from_le_bytes(self.prefix) as usize;
        if len == 0 || len > self.max_packet {
            let message = format!(
                "a packet of 1 to {} bytes was announced as {len}",
                self.max_packet
            );
            return Err(io::Error::new(io::ErrorKind::InvalidData, message));
        }
        self.prefix_len = 0;
        self.body = Some(Body {
            buffer: PacketBuffer::take(len),
            len,
            filled: 0,
        });
        Ok(())
    }

    /// One read: what is missing of this packet, and the prefix of the next.
    fn read(&mut self) -> Result<Read, Errno> {
        let prefix = &mut self.prefix[self.prefix_len..];
        let missing = match &mut self.body {
            Some(body) => &mut body.buffer[body.filled..body.len],
            None => &mut [],
        };
        let (wanted, body_wanted) = (missing.len() + prefix.len(), missing.len());
        let taken = readv(
            self.socket.as_fd(),
            &mut [IoSliceMut::new(missing), IoSliceMut::new(prefix)],
        )?;
        let for_body = taken.min(body_wanted);
        if let Some(body) = &mut self.body {
            body.filled += for_body;
        }
        self.prefix_len += taken - for_body;
        Ok(match taken {
            0 => Read::End,
            _ if taken < wanted => Read::AllThereWas,
            _ => Read::Some,
        })
    }

    fn whole_packet(&mut self) -> Option<Packet> {
        let body = self.body.take_if(|body| body.filled == body.len)?;
        Some(body.buffer.into_packet(body.len))
    }

    fn end(&mut self) -> io::Result<Option<Packet>> {
        self.ended = true;
        if self.body.is_none() && self.prefix_len == 0 {
            return Ok(None);
        }
        let message = "the pipe ended in the middle of a packet";
        Err(io::Error::new(io::ErrorKind::UnexpectedEof, message))
    }

    fn fail(&mut self, error: io::Error) -> io::Result<Option<Packet>> {
        self.ended = true;
        self.socket.close();
        Err(error)
    }
}

enum Read {
    End,
    /// Less than was asked for: the socket has been emptied.
    AllThereWas,
    Some,
}

impl PacketReceiver for Receiver {
    fn poll_recv(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<Option<Packet>>> {
        loop {
            if let Some(packet) = self.whole_packet() {
                return Poll::Ready(Ok(Some(packet)));
            }
            if self.ended {
                return Poll::Ready(Ok(None));
            }
            if self.body.is_none()
                && self.prefix_len == PREFIX
                && let Err(error) = self.begin_body()
            {
                return Poll::Ready(self.fail(error));
            }
            let socket = Arc::clone(&self.socket);
            let mut readable = ready!(socket.poll_readable(cx))?;
            match self.read() {
                Ok(Read::Some) | Err(Errno::INTR) => {}
                Ok(Read::AllThereWas) | Err(Errno::AGAIN) => readable.clear_ready(),
                Ok(Read::End) => return Poll::Ready(self.end()),
                // What the peer had sent is read on to its end.
                Err(Errno::CONNRESET) if !self.reset => self.reset = true,
                Err(Errno::CONNRESET) => return Poll::Ready(self.end()),
                Err(error) => return Poll::Ready(self.fail(error.into())),
            }
        }
    }
}

impl std::fmt::Debug for Body {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Body")
            .field("len", &self.len)
            .field("filled", &self.filled)
            .finish_non_exhaustive()
    }
}
