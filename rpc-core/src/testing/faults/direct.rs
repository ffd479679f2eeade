//! A sender with faults that take no time.

use std::io::{self, IoSlice};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, ready};

use super::lane::{PlainInner, Shared};
use crate::transport::PacketSender;

/// A sender without faults, beside a receiver that has some.
pub(super) struct PlainSender {
    pub(super) inner: Arc<PlainInner>,
    pub(super) lane: Arc<Shared>,
}

impl PacketSender for PlainSender {
    fn try_send(&self, packet: &[IoSlice<'_>]) -> io::Result<()> {
        self.inner.try_send(packet)
    }

    fn poll_ready(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.inner.poll_ready(cx)
    }

    fn poll_flush(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.inner.poll_flush(cx)
    }

    /// Closes the link, and wakes a receiver that is stalled.
    fn close(&self) {
        self.lane.cut();
    }

    fn packet_cost(&self) -> usize {
        self.inner.packet_cost()
    }
}

/// A sender that gives what it takes to the pipe at once.
pub(super) struct DirectSender {
    inner: Arc<PlainInner>,
    lane: Arc<Shared>,
    closed: AtomicBool,
    /// Held while a packet is sent, so that packets are counted in their order.
    turn: Mutex<()>,
}

impl DirectSender {
    pub(super) fn new(inner: Arc<PlainInner>, lane: Arc<Shared>) -> Self {
        Self {
            inner,
            lane,
            closed: AtomicBool::new(false),
            turn: Mutex::default(),
        }
    }
}

impl PacketSender for DirectSender {
    fn try_send(&self, packet: &[IoSlice<'_>]) -> io::Result<()> {
        let _turn = self.turn.lock().unwrap_or_else(PoisonError::into_inner);
        if self.lane.is_stalled() && !self.closed.load(Ordering::SeqCst) {
            self.lane.on_full();
            return Err(io::ErrorKind::WouldBlock.into());
        }
        let packet = self.lane.shape(gather(packet));
        let sent = self.inner.try_send(&[IoSlice::new(&packet)]);
        match &sent {
            Ok(()) => self.lane.on_passed(packet),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => self.lane.on_full(),
            Err(_) => {}
        }
        sent
    }

    fn poll_ready(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if !self.closed.load(Ordering::SeqCst) {
            ready!(self.lane.poll_open(cx));
        }
        self.inner.poll_ready(cx)
    }

    fn poll_flush(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.inner.poll_flush(cx)
    }

    fn close(&self) {
        self.closed.store(true, Ordering::SeqCst);
        self.inner.close();
        self.lane.wake();
    }

    fn packet_cost(&self) -> usize {
        self.inner.packet_cost()
    }
}

pub(super) fn gather(packet: &[IoSlice<'_>]) -> Vec<u8> {
    packet.iter().flat_map(|slice| slice.iter().copied()).collect()
}
