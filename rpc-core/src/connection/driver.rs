//! The one task of a connection: it alone reads, runs what arrives, and sends what has gathered.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use tokio::time::{Instant, Sleep, sleep_until};

use super::ConnectionError;
use super::handshake::Handshake;
use super::leaving::Leaving;
use super::outcomes::Outcomes;
use super::runner::{Runner, Serving};
use super::shared::Shared;
use super::turn::{Turn, run_again};
use crate::transport::{Landing, Link, Packet, PacketReceiver};

/// Drives one connection until it ends. Dropped before that, it ends the connection.
pub(crate) struct Driver {
    shared: Arc<Shared>,
    receiver: Box<dyn PacketReceiver>,
    /// Lent for the next packet, whenever it comes.
    landing: Option<Landing>,
    runner: Runner,
    timer: Option<Pin<Box<Sleep>>>,
    leaving: Leaving,
    peer_left: bool,
    /// The callers that were woken in this run are to share a packet.
    gathering: bool,
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
            receiver,
            landing: None,
            timer: None,
            peer_left: false,
            gathering: false,
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
                    if let Err(end) = self.handle_packet(packet) {
                        return Poll::Ready(end);
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

    fn handle_packet(&mut self, packet: Packet) -> Result<(), ConnectionError> {
        let now = || Instant::now().into_std();
        let mut state = self.shared.lock();
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
        drop(state);
        self.outcomes.carry_out(&self.shared);
        self.runner.run_all(&mut self.outcomes.incoming);
        handled?;
        self.note_goodbyes()
    }

    fn note_goodbyes(&mut self) -> Result<(), ConnectionError> {
        if std::mem::take(&mut self.outcomes.peer_drains) {
            self.shared.stop_calling();
        }
        if std::mem::take(&mut self.outcomes.peer_left) {
            self.peer_left = true;
            self.shared.stop_calling();
        }
        if let Some(text) = self.outcomes.reported.take() {
            return Err(ConnectionError::Reported(text));
        }
        self.leaving.acked |= std::mem::take(&mut self.outcomes.farewell_acked);
        Ok(())
    }

    /// Ends the calls whose deadline has passed.
    fn poll_timer(&mut self, cx: &mut Context<'_>) {
        while let Some(timer) = &mut self.timer {
            if timer.as_mut().poll(cx).is_pending() {
                return;
            }
            let mut state = self.shared.lock();
            state.proto.handle_timeout(Instant::now().into_std());
            state.armed = state.proto.next_timeout();
            self.timer = state.armed.map(timer_at);
            state.drain_events(&mut self.outcomes);
            drop(state);
            self.outcomes.carry_out(&self.shared);
        }
    }

    /// From here on the driver is to be woken again. False: the connection has ended.
    fn start_run(&mut self, cx: &Context<'_>) -> bool {
        let mut state = self.shared.lock();
        if state.end.is_some() {
            return false;
        }
        state.driver_notified = false;
        if !state
            .driver
            .as_ref()
            .is_some_and(|driver| driver.will_wake(cx.waker()))
        {
            state.driver = Some(cx.waker().clone());
        }
        self.leaving.note(&state);
        if std::mem::take(&mut state.rearm) {
            self.timer = state.armed.map(timer_at);
        }
        if state.proto.has_events() {
            // What was sent has made room.
            state.drain_events(&mut self.outcomes);
            drop(state);
            self.outcomes.carry_out(&self.shared);
        }
        true
    }

    /// Sends what has gathered; callers may send for themselves again. Whether it is time for the farewell: an answer that
    /// is still leaving is waited for, however slowly the peer reads.
    fn end_run(&mut self, cx: &mut Context<'_>) -> bool {
        let mut state = self.shared.transmit(cx);
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
        let (is_idle, is_over) = (state.is_idle(), state.is_over() && state.has_sent_all());
        if is_idle && state.proto.is_draining() {
            drop(state);
            self.shared.changed.notify_waiters();
        }
        is_over
    }
}

fn timer_at(time: std::time::Instant) -> Pin<Box<Sleep>> {
    Box::pin(sleep_until(Instant::from_std(time)))
}

impl Future for Driver {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let this = &mut *self;
        if !this.start_run(cx) {
            return Poll::Ready(());
        }
        if this.ending.is_none() {
            this.ending = ending(this.receive(cx));
        }
        this.poll_timer(cx);
        // A peer that said farewell and has closed the pipe reads nothing that would be sent now.
        let has_left = matches!(this.ending, Some(ConnectionError::PeerClosed));
        let is_over = !has_left && this.end_run(cx);
        if this.ending.is_none() {
            this.ending = ending(this.leaving.poll_farewell(cx, &this.shared, is_over));
        }
        // Last: most ends that leave are over by now, and need no timer.
        if this.ending.is_none() {
            this.leaving.poll_limit(cx, &this.shared, &mut this.outcomes);
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
