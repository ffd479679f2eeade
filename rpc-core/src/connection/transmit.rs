//! Who sends, and when.
//!
//! The first frame since the driver last ran is sent by its caller, at once and without a task switch. Frames that
//! come after it gather, and leave when the driver next runs: many callers share a packet, one caller never waits.
//! Callers that one packet has woken are about to call again together, so even the first frame of theirs gathers: sent
//! alone it would be answered alone, and part its caller from the others for good.
//!
//! A packet that has [`Share`] enough does not wait for more where there are several processors: the other end works on it
//! meanwhile. With 64 callers that nearly halves the time of a call, and takes a third more of processor time.

use std::io;
use std::sync::{LazyLock, MutexGuard};
use std::task::{Context, Poll, Waker};
use std::thread::available_parallelism;

use super::outcomes::Outcomes;
use super::shared::Shared;
use super::state::State;
use super::turn::{Turn, run_again};
use crate::proto::OutPacket;
use crate::transport::PacketSender;

/// How many callers a packet wakes whose next frames gather.
const MANY: usize = 2;

/// How many frames are work enough for the other end to begin with.
#[derive(Clone, Copy)]
pub(super) struct Share(usize);

impl Share {
    /// What suits the pipe, and the processors that this process may use.
    pub(super) fn of(sender: &dyn PacketSender) -> Self {
        static IS_ALONE: LazyLock<bool> =
            LazyLock::new(|| available_parallelism().is_ok_and(|processors| processors.get() == 1));
        if *IS_ALONE {
            // The other end could only begin when this one waits: all leaves together.
            return Self(usize::MAX);
        }
        Self(sender.packet_cost().max(1))
    }

    /// Whether that many calls are such a share.
    pub(super) fn is(self, calls: usize) -> bool {
        calls >= self.0
    }
}

impl Shared {
    /// Called by whoever has queued a frame: sends it, or leaves it to the driver.
    pub(super) fn flush_or_gather(&self, mut state: MutexGuard<'_, State>) {
        let gathers = state.sent_since_driver_ran && !state.proto.has_gathered(state.share.0);
        if gathers || state.transmitting || state.unsent.is_some() {
            return state.notify_driver();
        }
        state.sent_since_driver_ran = true;
        let Some(packet) = state.proto.take_packet(now) else {
            return;
        };
        let mut state = self.send_packet(state, packet);
        let goes_on = state.proto.has_output() || state.unsent.is_some() || state.sender_broken;
        let goes_on = goes_on || !state.flushing.is_empty();
        // The driver tells who waits for room, and says farewell, or ends, once the last packet is with the pipe.
        if goes_on || state.proto.has_events() || state.is_over() || state.proto.has_reported() {
            state.notify_driver();
        }
    }

    /// Called by the driver: sends until nothing is left, until the pipe is full, or until it is others' turn. In all but
    /// the first of these the driver is woken to go on.
    pub(super) fn transmit<'a>(
        &'a self,
        mut state: MutexGuard<'a, State>,
        cx: &mut Context<'_>,
    ) -> MutexGuard<'a, State> {
        let mut turn = Turn::default();
        // Whoever is sending wakes the driver if there is more.
        while !state.transmitting && !state.sender_broken {
            // What did not fit the last time may fit now, long before the system tells so; asked is only when it does not.
            if turn.has_begun() && state.unsent.is_some() && !self.poll_room(&mut state, cx) {
                break;
            }
            // After that question: nobody else asks it for a packet that the pipe did not take.
            if turn.is_over() {
                run_again(cx);
                break;
            }
            let next = match state.unsent {
                Some(_) => state.unsent.take(),
                None if state.proto.has_output() => state.proto.take_packet(now),
                None => None,
            };
            let Some(packet) = next else { break };
            turn.add(packet.len());
            state = self.send_packet(state, packet);
        }
        state
    }

    /// Tells the oneway callers whose requests were noted that the system has them, once it has all that was sent by now.
    pub(super) fn poll_flushing(&self, cx: &mut Context<'_>) {
        let Poll::Ready(flushed) = self.sender.poll_flush(cx) else {
            return;
        };
        let mut state = self.lock();
        if let Err(error) = flushed {
            // They are told when the connection has ended.
            return state.on_sender_broken(&error);
        }
        let flushed = state.take_flushed();
        drop(state);
        flushed.into_iter().for_each(Waker::wake);
    }

    fn poll_room(&self, state: &mut State, cx: &mut Context<'_>) -> bool {
        match self.sender.poll_ready(cx) {
            Poll::Pending => false,
            Poll::Ready(Ok(())) => true,
            Poll::Ready(Err(error)) => {
                state.on_sender_broken(&error);
                false
            }
        }
    }

    /// Sends a packet without holding the lock meanwhile; `transmitting` keeps others from overtaking it.
    fn send_packet<'a>(
        &'a self,
        mut state: MutexGuard<'a, State>,
        mut packet: OutPacket,
    ) -> MutexGuard<'a, State> {
        state.transmitting = true;
        drop(state);
        let result = self.sender.try_send(&packet.slices());
        if result.is_ok() {
            // A body may be memory whose owner does something when it is dropped; not under the lock.
            packet.clear();
        }
        let mut state = self.lock();
        state.transmitting = false;
        match result {
            Ok(()) => state.proto.recycle(packet),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => state.unsent = Some(packet),
            Err(error) => state.on_sender_broken(&error),
        }
        state
    }
}

impl State {
    /// The driver looks at what there is to do: from here on it is to be woken again.
    pub(super) fn on_driver_looks(&mut self, waker: &Waker) {
        self.driver_notified = false;
        let is_known = self.driver.as_ref().is_some_and(|driver| driver.will_wake(waker));
        if !is_known {
            self.driver = Some(waker.clone());
        }
    }

    /// Whether there is nothing for the driver to see to but what arrives.
    pub(super) fn wants_no_driver(&self) -> bool {
        let sends = self.proto.has_output() || self.unsent.is_some() || !self.flushing.is_empty();
        let ends = self.is_leaving() || self.proto.is_draining() || self.end.is_some();
        !sends && !ends && !self.rearm
    }

    /// Whether what the callers send that are about to be woken is to gather.
    pub(super) fn gather_after(&mut self, outcomes: &Outcomes) -> bool {
        let many = outcomes.wake.len() >= MANY;
        self.sent_since_driver_ran |= many;
        many
    }

    /// Notes whose oneway requests are with the pipe, which is asked next whether it has flushed; what leaves after that is
    /// not what it speaks of. Whether there are any.
    pub(super) fn is_to_flush(&mut self) -> bool {
        let sending = self.transmitting || self.unsent.is_some();
        if self.flushing.is_empty() || sending || self.sender_broken {
            return false;
        }
        for flushing in &mut self.flushing {
            flushing.had_left |= self.proto.has_left(flushing.call);
        }
        self.flushing.iter().any(|flushing| flushing.had_left)
    }

    /// The requests that were noted are with the system. Whom to wake.
    fn take_flushed(&mut self) -> Vec<Waker> {
        let waiting = &mut self.waiting;
        let flushed = self.flushing.extract_if(.., |flushing| flushing.had_left);
        let woken = flushed.map(|flushing| {
            waiting.on_flushed(flushing.call);
            flushing.waker
        });
        woken.collect()
    }

    /// Whether everything is with the pipe, or never will be.
    pub(super) fn has_sent_all(&self) -> bool {
        let sending = self.transmitting || self.unsent.is_some();
        self.sender_broken || (!sending && !self.proto.has_output())
    }

    /// Whether the report of what the peer did wrong may still leave. A full pipe is not waited for.
    pub(super) fn is_reporting(&self) -> bool {
        let can_send = !self.sender_broken && self.unsent.is_none();
        can_send && (self.transmitting || !self.proto.has_reported())
    }

    /// Nothing more can be sent. What the peer wrote before it left is still read, so the connection does not end here.
    fn on_sender_broken(&mut self, error: &io::Error) {
        tracing::debug!(%error, "the pipe takes no more packets; reading on to its end");
        self.sender_broken = true;
        self.unsent = None;
    }
}

fn now() -> std::time::Instant {
    tokio::time::Instant::now().into_std()
}
