//! The one task of a connection: it alone reads, runs what arrives, and sends what has gathered.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker, ready};

use tokio::time::Instant;

use super::ConnectionError;
use super::handshake::Handshake;
use super::leaving::Leaving;
use super::outcomes::Outcomes;
use super::runner::{Runner, Serving};
use super::shared::Shared;
use super::timer::Timer;
use super::turn::{Turn, run_again};
use crate::transport::{Landing, Link, Packet, PacketReceiver};

/// Drives one connection until it ends. Dropped before that, it ends the connection.
pub(crate) struct Driver {
    shared: Arc<Shared>,
    receiver: Box<dyn PacketReceiver>,
    is_slow_to_wait: bool,
    /// Lent for the next packet, whenever it comes.
    landing: Option<Landing>,
    runner: Runner,
    timer: Timer,
    leaving: Leaving,
    peer_left: bool,
    /// The callers that were woken in this run are to share a packet.
    gathering: bool,
    /// The last packet of this run has left nothing for [`end_run`](Self::end_run).
    is_done: bool,
    /// Why the connection ends, once that is known.
    ending: Option<ConnectionError>,
    outcomes: Outcomes,
}

impl Driver {
    pub(crate) fn new(link: Link, handshake: Handshake, serving: Option<Serving>) -> Self {
        let Link {
            sender,
            receiver,
            peer,
            ..
        } = link;
        let shared = Shared::new(sender, peer, handshake);
        if let Some(serving) = &serving {
            let limits = serving.dispatch.method_limits();
            shared.lock().proto.set_method_limits(limits);
        }
        Self {
            leaving: Leaving::new(serving.is_some()),
            runner: Runner::new(&shared, serving),
            shared,
            is_slow_to_wait: receiver.is_slow_to_wait(),
            receiver,
            landing: None,
            timer: Timer::default(),
            peer_left: false,
            gathering: false,
            is_done: false,
            ending: None,
            outcomes: Outcomes::default(),
        }
    }

    pub(crate) fn shared(&self) -> &Arc<Shared> {
        &self.shared
    }

    /// Takes in what has arrived. Ready when the connection is over.
    fn receive(&mut self, cx: &mut Context<'_>) -> Poll<ConnectionError> {
        let mut turn = Turn::default();
        while !turn.is_over() {
            match ready!(self.poll_recv(cx)) {
                Ok(Some(packet)) => {
                    turn.add(packet.len());
                    match self.handle_packet(packet, cx.waker()) {
                        // First its answer leaves, or what its caller does next. Among many calls they gather anyway.
                        Ok(1) if self.is_slow_to_wait => {
                            cx.waker().wake_by_ref();
                            return Poll::Pending;
                        }
                        Ok(_) => {}
                        Err(end) => return Poll::Ready(end),
                    }
                }
                Ok(None) if self.leaving.acked => return Poll::Ready(self.leaving.in_good_order()),
                Ok(None) if self.peer_left => return Poll::Ready(ConnectionError::PeerClosed),
                Ok(None) => return Poll::Ready(ConnectionError::PeerVanished),
                Err(error) => return Poll::Ready(error.into()),
            }
        }
        // More may be there.
        run_again(cx);
        Poll::Pending
    }

    fn poll_recv(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<Option<Packet>>> {
        match &mut self.landing {
            Some(landing) => self.receiver.poll_recv_landing(cx, landing),
            None => self.receiver.poll_recv(cx),
        }
    }

    /// Says how many calls there is something to do for.
    fn handle_packet(&mut self, packet: Packet, waker: &Waker) -> Result<usize, ConnectionError> {
        let now = || Instant::now().into_std();
        let mut state = self.shared.lock();
        if state.end.is_some() {
            // Only who closes this end does that beside the driver.
            return Err(ConnectionError::Closed);
        }
        let packet = match self.landing.take() {
            Some(landing) => state.proto.take_landed(packet, landing),
            None => packet,
        };
        let handled = state.handle_packet(packet, now, &mut self.outcomes);
        self.landing = state.proto.lend_landing();
        if let Err(error) = &handled {
            state.proto.report(error);
        }
        self.gathering |= state.gather_after(&self.outcomes);
        // With the answer to a lone call; another look at the state, 120 instructions, would find nothing.
        self.is_done = !self.gathering
            && !self.timer.is_set()
            && self.outcomes.incoming.is_empty()
            && !self.runner.has_answers()
            && state.wants_no_driver();
        if self.is_done {
            state.on_driver_looks(waker);
            state.sent_since_driver_ran = false;
        }
        drop(state);
        let calls = self.outcomes.wake.len() + self.outcomes.incoming.len();
        self.outcomes.carry_out();
        self.runner.run_all(&mut self.outcomes.incoming);
        handled?;
        self.note_goodbyes()?;
        Ok(calls)
    }

    fn note_goodbyes(&mut self) -> Result<(), ConnectionError> {
        if std::mem::take(&mut self.outcomes.peer_drains) {
            self.shared.changed.notify_waiters();
        }
        if std::mem::take(&mut self.outcomes.peer_left) {
            self.peer_left = true;
            self.shared.changed.notify_waiters();
        }
        if let Some(text) = self.outcomes.reported.take() {
            return Err(ConnectionError::Reported(text));
        }
        self.leaving.acked |= std::mem::take(&mut self.outcomes.farewell_acked);
        Ok(())
    }

    /// Sees to what others want of the driver, and sends what has gathered; callers may send for themselves again. It is
    /// one look at the state, behind all that was received: what others want after it wakes the driver again.
    ///
    /// Says whether it is time for the farewell, for which an answer that is still leaving is waited for, however slowly
    /// the peer reads; or that the connection has ended, which is `None`.
    fn end_run(&mut self, cx: &mut Context<'_>) -> Option<bool> {
        if std::mem::take(&mut self.is_done) {
            return Some(false);
        }
        let mut state = self.shared.lock();
        if state.end.is_some() {
            return None;
        }
        state.on_driver_looks(cx.waker());
        self.leaving.note(&state);
        // Before the timer: what was answered in time is no fault.
        self.runner.answer_rest(&mut state, &mut self.outcomes.wake);
        // What was sent may have made room.
        if self.timer.is_set() || state.rearm || state.proto.has_events() {
            if std::mem::take(&mut state.rearm) {
                self.timer.set(state.armed);
            }
            state.drain_events(&mut self.outcomes);
            drop(state);
            self.outcomes.carry_out();
            self.timer.poll(cx, &self.shared, &mut self.outcomes);
            state = self.shared.lock();
        }
        state = self.shared.transmit(state, cx);
        if state.is_to_flush() {
            drop(state);
            self.shared.poll_flushing(cx);
            state = self.shared.lock();
        }
        state.sent_since_driver_ran = std::mem::take(&mut self.gathering);
        if state.sent_since_driver_ran {
            // It runs again behind the callers that it has woken.
            state.notify_driver();
        }
        let idle = state.transmitting || state.sender_broken || state.unsent.is_some();
        if (state.proto.has_output() && !idle) || state.proto.has_events() {
            run_again(cx);
        }
        let is_over = state.is_over() && state.has_sent_all();
        let has_drained = state.proto.is_draining() && state.is_idle();
        drop(state);
        if has_drained {
            self.shared.changed.notify_waiters();
        }
        if !self.outcomes.wake.is_empty() {
            self.outcomes.carry_out();
        }
        Some(is_over)
    }
}

impl Future for Driver {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let this = &mut *self;
        if this.ending.is_none() {
            this.ending = ending(this.receive(cx));
        }
        // A peer that said farewell and has closed the pipe reads nothing that would be sent now.
        if !matches!(this.ending, Some(ConnectionError::PeerClosed)) {
            let Some(is_over) = this.end_run(cx) else {
                return Poll::Ready(());
            };
            if this.ending.is_none() && this.leaving.is_wanted() {
                this.ending = ending(this.leaving.poll_farewell(cx, &this.shared, is_over));
            }
            // Last: most ends that leave are over by now, and need no timer.
            if this.ending.is_none() && this.leaving.is_wanted() {
                this.leaving.poll_limit(cx, &this.shared, &mut this.outcomes);
            }
        }
        if let Some(ConnectionError::Protocol(_)) = this.ending
            && this.shared.lock().is_reporting()
        {
            return Poll::Pending;
        }
        let Some(reason) = this.ending.take() else {
            return Poll::Pending;
        };
        this.shared.end(reason);
        Poll::Ready(())
    }
}

fn ending(polled: Poll<ConnectionError>) -> Option<ConnectionError> {
    match polled {
        Poll::Ready(reason) => Some(reason),
        Poll::Pending => None,
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        self.shared.end(ConnectionError::RuntimeGone);
    }
}
