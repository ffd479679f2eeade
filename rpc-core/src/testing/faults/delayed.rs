//! A sender whose packets arrive later: a queue, and a task that sends what is due.

use std::collections::VecDeque;
use std::future::poll_fn;
use std::io::{self, IoSlice};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::{Instant, sleep_until};

use super::CAPACITY;
use super::direct::gather;
use super::lane::{PlainInner, Shared};
use crate::transport::PacketSender;

pub(super) struct DelayedSender {
    way: Arc<Way>,
    delay: Duration,
    max_packet: usize,
}

/// What the sender and the task that sends for it share.
struct Way {
    inner: Arc<PlainInner>,
    lane: Arc<Shared>,
    queue: Mutex<Queue>,
    /// There is something to send, or nothing will come any more.
    changed: Notify,
}

#[derive(Default)]
struct Queue {
    packets: VecDeque<(Instant, Vec<u8>)>,
    bytes: usize,
    end: Option<End>,
    /// The pipe takes no more packets.
    broken: Option<io::ErrorKind>,
    /// Who waits for room, or for the queue to be empty.
    waiting: Vec<Waker>,
}

/// Nothing more comes.
#[derive(Clone, Copy, PartialEq, Eq)]
enum End {
    /// The link is to be closed after what was sent.
    Closed,
    /// The sender is gone.
    Dropped,
}

impl DelayedSender {
    pub(super) fn new(inner: Arc<PlainInner>, lane: Arc<Shared>, delay: Duration, max_packet: usize) -> Self {
        let way = Arc::new(Way {
            inner,
            lane,
            queue: Mutex::default(),
            changed: Notify::new(),
        });
        tokio::spawn(Arc::clone(&way).send_all());
        Self {
            way,
            delay,
            max_packet,
        }
    }
}

impl PacketSender for DelayedSender {
    fn try_send(&self, packet: &[IoSlice<'_>]) -> io::Result<()> {
        let packet = gather(packet);
        if packet.is_empty() || packet.len() > self.max_packet {
            let text = format!(
                "a packet has 1 to {} bytes, not {}",
                self.max_packet,
                packet.len()
            );
            return Err(io::Error::new(io::ErrorKind::InvalidInput, text));
        }
        let mut queue = self.way.lock();
        queue.check_open()?;
        if self.way.lane.is_stalled() || !queue.has_room(packet.len()) {
            self.way.lane.on_full();
            return Err(io::ErrorKind::WouldBlock.into());
        }
        queue.bytes += packet.len();
        queue.packets.push_back((Instant::now() + self.delay, packet));
        drop(queue);
        self.way.changed.notify_one();
        Ok(())
    }

    fn poll_ready(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let mut queue = self.way.lock();
        queue.check_open()?;
        if !queue.has_room(self.max_packet) {
            queue.wait(cx);
            return Poll::Pending;
        }
        self.way.lane.poll_open(cx).map(Ok)
    }

    fn poll_flush(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let mut queue = self.way.lock();
        queue.check_open()?;
        if !queue.packets.is_empty() {
            queue.wait(cx);
            return Poll::Pending;
        }
        drop(queue);
        self.way.inner.poll_flush(cx)
    }

    fn close(&self) {
        self.way.end(End::Closed);
    }

    fn packet_cost(&self) -> usize {
        self.way.inner.packet_cost()
    }
}

impl Drop for DelayedSender {
    fn drop(&mut self) {
        self.way.end(End::Dropped);
    }
}

impl Way {
    async fn send_all(self: Arc<Self>) {
        while let Some((due, packet)) = self.next().await {
            sleep_until(due).await;
            poll_fn(|cx| self.poll_open(cx)).await;
            if let Err(error) = self.send(packet).await {
                return self.break_off(&error);
            }
            self.take_first();
            if self.lane.is_cut() {
                return self.break_off(&io::ErrorKind::BrokenPipe.into());
            }
        }
        let is_closed = self.lock().end == Some(End::Closed);
        if is_closed {
            self.inner.close();
        }
    }

    /// The next packet, which stays in the queue until it is sent; `None` when none will come.
    async fn next(&self) -> Option<(Instant, Vec<u8>)> {
        loop {
            {
                let queue = self.lock();
                if let Some(first) = queue.packets.front() {
                    return Some(first.clone());
                }
                if queue.end.is_some() {
                    return None;
                }
            }
            self.changed.notified().await;
        }
    }

    /// Ready when the lane is open, or will not be used again: what is under way then still arrives.
    fn poll_open(&self, cx: &Context<'_>) -> Poll<()> {
        let open = self.lane.poll_open(cx);
        if self.lock().end.is_some() {
            return Poll::Ready(());
        }
        open
    }

    async fn send(&self, packet: Vec<u8>) -> io::Result<()> {
        let packet = self.lane.shape(packet);
        loop {
            poll_fn(|cx| self.inner.poll_ready(cx)).await?;
            match self.inner.try_send(&[IoSlice::new(&packet)]) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(error) => return Err(error),
                Ok(()) => break,
            }
        }
        self.lane.on_passed(packet);
        Ok(())
    }

    fn take_first(&self) {
        let mut queue = self.lock();
        if let Some((_, packet)) = queue.packets.pop_front() {
            queue.bytes -= packet.len();
        }
        let wake = std::mem::take(&mut queue.waiting);
        drop(queue);
        wake.into_iter().for_each(Waker::wake);
    }

    fn break_off(&self, error: &io::Error) {
        let mut queue = self.lock();
        queue.broken = Some(error.kind());
        queue.packets.clear();
        let wake = std::mem::take(&mut queue.waiting);
        drop(queue);
        self.inner.close();
        wake.into_iter().for_each(Waker::wake);
        self.lane.wake();
    }

    fn end(&self, end: End) {
        let mut queue = self.lock();
        // A link that was closed and then dropped is still to be closed.
        queue.end.get_or_insert(end);
        let wake = std::mem::take(&mut queue.waiting);
        drop(queue);
        self.changed.notify_one();
        wake.into_iter().for_each(Waker::wake);
        self.lane.wake();
    }

    fn lock(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Queue {
    fn check_open(&self) -> io::Result<()> {
        match (self.broken, self.end) {
            (Some(kind), _) => Err(kind.into()),
            (None, Some(_)) => Err(io::ErrorKind::BrokenPipe.into()),
            (None, None) => Ok(()),
        }
    }

    fn has_room(&self, bytes: usize) -> bool {
        self.packets.is_empty() || self.bytes + bytes <= CAPACITY
    }

    fn wait(&mut self, cx: &Context<'_>) {
        if !self.waiting.iter().any(|waker| waker.will_wake(cx.waker())) {
            self.waiting.push(cx.waker().clone());
        }
    }
}
