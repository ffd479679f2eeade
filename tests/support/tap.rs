//! A link whose packets a test sees as they are sent and received.

use std::io::{self, IoSlice};
use std::sync::Arc;
use std::task::{Context, Poll};

use pipe_rpc::transport::{Landing, Link, Listener, Packet, PacketReceiver, PacketSender};

/// What sees the packets of one end.
pub trait Tap: Send + Sync + 'static {
    /// The pipe has taken a packet that begins like this; all frame headers are in it.
    fn sent(&self, start: &[u8]);
    /// A packet has come.
    fn received(&self, packet: &[u8]);
    /// A packet has come, so many bytes of which were received into the body that they most likely belong to.
    fn landed(&self, packet: &[u8], _: usize) {
        self.received(packet);
    }
}

/// The same link, tapped.
pub fn tapped<T: Tap>(link: Link, tap: &Arc<T>) -> Link {
    Link {
        sender: Box::new(Sender(link.sender, Arc::clone(tap))),
        receiver: Box::new(Receiver(link.receiver, Arc::clone(tap))),
        ..link
    }
}

/// A listener whose links are tapped.
pub struct Tapped<L, T>(pub L, pub Arc<T>);

impl<L: Listener, T: Tap> Listener for Tapped<L, T> {
    fn poll_accept(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<Link>> {
        self.0.poll_accept(cx).map_ok(|link| tapped(link, &self.1))
    }

    fn close(&mut self) {
        self.0.close();
    }

    fn local_name(&self) -> String {
        self.0.local_name()
    }
}

struct Sender<T>(Box<dyn PacketSender>, Arc<T>);

impl<T: Tap> PacketSender for Sender<T> {
    fn try_send(&self, packet: &[IoSlice<'_>]) -> io::Result<()> {
        self.0.try_send(packet)?;
        self.1.sent(&packet[0]);
        Ok(())
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

struct Receiver<T>(Box<dyn PacketReceiver>, Arc<T>);

impl<T: Tap> PacketReceiver for Receiver<T> {
    fn poll_recv(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<Option<Packet>>> {
        let polled = self.0.poll_recv(cx);
        if let Poll::Ready(Ok(Some(packet))) = &polled {
            self.1.received(packet);
        }
        polled
    }

    fn poll_recv_landing(
        &mut self,
        cx: &mut Context<'_>,
        landing: &mut Landing,
    ) -> Poll<io::Result<Option<Packet>>> {
        let polled = self.0.poll_recv_landing(cx, landing);
        if let Poll::Ready(Ok(Some(packet))) = &polled {
            self.1.landed(&whole(packet, landing), landing.landed());
        }
        polled
    }
}

/// The packet with what has landed where it belongs: the packet that came may be another one than was expected.
fn whole(packet: &[u8], landing: &mut Landing) -> Vec<u8> {
    let (start, len) = (landing.skip(), landing.landed());
    let landed = landing.bytes_mut();
    let mut packet = packet.to_vec();
    if len > 0 {
        packet[start..start + len].copy_from_slice(&landed[landed.len() - len..]);
    }
    packet
}
