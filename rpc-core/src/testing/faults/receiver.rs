//! A receiver with faults.

use std::collections::VecDeque;
use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::time::{Instant, Sleep, sleep_until};

use super::CAPACITY;
use super::lane::Shared;
use crate::transport::{Landing, Packet, PacketReceiver};

pub(super) struct FaultyReceiver {
    inner: Box<dyn PacketReceiver>,
    lane: Arc<Shared>,
    delay: Duration,
    /// What has arrived, and when it may be given.
    under_way: VecDeque<(Instant, Received)>,
    bytes: usize,
    timer: Option<Pin<Box<Sleep>>>,
    /// Nothing more arrives: the end or an error is the last under way.
    ended: bool,
}

type Received = io::Result<Option<Packet>>;

impl FaultyReceiver {
    pub(super) fn new(inner: Box<dyn PacketReceiver>, lane: Arc<Shared>, delay: Duration) -> Self {
        Self {
            inner,
            lane,
            delay,
            under_way: VecDeque::new(),
            bytes: 0,
            timer: None,
            ended: false,
        }
    }

    /// Notes when packets arrive, as many as a pipe would hold; without a delay, one at a time.
    fn take_in(&mut self, cx: &mut Context<'_>) {
        while !self.ended && (self.under_way.is_empty() || (!self.delay.is_zero() && self.bytes < CAPACITY)) {
            let Poll::Ready(received) = self.inner.poll_recv(cx) else {
                return;
            };
            match &received {
                Ok(Some(packet)) => self.bytes += packet.len(),
                Ok(None) | Err(_) => self.ended = true,
            }
            self.under_way.push_back((Instant::now() + self.delay, received));
        }
    }

    fn poll_due(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let Some((due, _)) = self.under_way.front() else {
            return Poll::Pending;
        };
        if *due > Instant::now() {
            let timer = self.timer.get_or_insert_with(|| Box::pin(sleep_until(*due)));
            ready!(timer.as_mut().poll(cx));
        }
        self.timer = None;
        Poll::Ready(())
    }
}

impl PacketReceiver for FaultyReceiver {
    fn poll_recv(&mut self, cx: &mut Context<'_>) -> Poll<Received> {
        ready!(self.lane.poll_open(cx));
        if self.lane.is_cut() {
            return Poll::Ready(Ok(None));
        }
        self.take_in(cx);
        if self.under_way.is_empty() && self.ended {
            return Poll::Ready(Ok(None));
        }
        ready!(self.poll_due(cx));
        let Some((_, received)) = self.under_way.pop_front() else {
            return Poll::Pending;
        };
        let Ok(Some(packet)) = received else {
            return Poll::Ready(received);
        };
        self.bytes -= packet.len();
        let packet = self.lane.shape(packet.to_vec());
        let given = Packet::copy_from(&packet);
        self.lane.on_passed(packet);
        Poll::Ready(Ok(Some(given)))
    }
    /// What lands is what the faults have left of it.
    fn poll_recv_landing(&mut self, cx: &mut Context<'_>, landing: &mut Landing) -> Poll<Received> {
        let mut received = self.poll_recv(cx);
        if let Poll::Ready(Ok(Some(packet))) = &mut received {
            landing.land(packet);
        }
        received
    }
}
