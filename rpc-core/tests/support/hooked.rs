//! A link whose packets a test sees before they are sent.

use std::io::{self, IoSlice};
use std::task::{Context, Poll};

use pipe_rpc_core::transport::{Link, PacketSender};

/// Sees a packet in the thread that sends it. False: the packet is taken and goes nowhere.
pub type Hook = Box<dyn Fn(&[IoSlice<'_>]) -> bool + Send + Sync>;

/// The bytes of a packet.
pub fn flat(packet: &[IoSlice<'_>]) -> Vec<u8> {
    packet.iter().flat_map(|slice| slice.iter().copied()).collect()
}

struct Sender {
    inner: Box<dyn PacketSender>,
    hook: Hook,
}

/// The same link, with the hook in front of it.
pub fn hooked(link: Link, hook: Hook) -> Link {
    let sender = Box::new(Sender {
        inner: link.sender,
        hook,
    });
    Link { sender, ..link }
}

impl PacketSender for Sender {
    fn try_send(&self, packet: &[IoSlice<'_>]) -> io::Result<()> {
        if (self.hook)(packet) {
            self.inner.try_send(packet)
        } else {
            Ok(())
        }
    }

    fn poll_ready(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.inner.poll_ready(cx)
    }

    fn poll_flush(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.inner.poll_flush(cx)
    }

    fn close(&self) {
        self.inner.close();
    }

    fn packet_cost(&self) -> usize {
        self.inner.packet_cost()
    }
}
