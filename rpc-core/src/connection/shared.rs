//! What the driver and the callers of one connection share: the protocol, the calls that wait, and the sender.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Waker;
use std::time::Instant as StdInstant;

use slab::Slab;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::task::AbortHandle;

use super::ConnectionError;
use super::faults::{answer_of, fault_of};
use crate::codec::Codec;
use crate::fault::{Fault, Outcome, Reason};
use crate::message::{Request, Response};
use crate::proto::{
    Abandoned, Body, CallId, Connection, Ending, Event, IncomingCall, OutPacket, RequestHead, Slots,
};
use crate::transport::{PacketSender, PeerIdentity};

use super::handshake::Handshake;

/// One connection, as its driver, its channels and its handlers see it.
pub(crate) struct Shared {
    state: Mutex<State>,
    pub(super) sender: Box<dyn PacketSender>,
    /// The line in front of the slots for calls of depth 0: a permit is a free slot.
    pub(crate) credit: Arc<Semaphore>,
    pub(crate) peer: Arc<PeerIdentity>,
    pub(crate) codec: Codec,
    ended: watch::Sender<bool>,
}

/// What the lock guards. Nothing of the user's runs under it.
pub(super) struct State {
    pub(super) proto: Connection,
    waiting: Slab<Waiting>,
    /// Which entry of `waiting` a slot's call has.
    keys: Slots<usize>,
    pub(super) handlers: Slots<Option<Handler>>,
    pub(super) driver: Option<Waker>,
    /// The driver has been woken and has not run since.
    pub(super) driver_notified: bool,
    /// A packet left since the driver last ran; what comes now gathers.
    pub(super) sent_since_driver_ran: bool,
    /// Somebody is in the middle of sending a packet.
    pub(super) transmitting: bool,
    /// A packet that the pipe had no room for.
    pub(super) unsent: Option<OutPacket>,
    /// The sender failed; what is still to be read is read.
    pub(super) sender_broken: bool,
    /// When the driver's timer fires.
    pub(super) armed: Option<StdInstant>,
    pub(super) rearm: bool,
    /// Oneway calls that wait until the system has them.
    pub(super) flushing: Vec<(CallId, Waker)>,
    /// The peer has said farewell: nothing that is sent now would be read.
    peer_left: bool,
    /// No channel is left: say farewell when the open calls are over.
    pub(super) leaving: bool,
    pub(super) end: Option<Arc<ConnectionError>>,
}

/// A handler that runs in a task of its own.
pub(super) struct Handler {
    pub(super) task: AbortHandle,
    /// Nobody waits for it, so it outlives the connection.
    pub(super) oneway: bool,
}

struct Waiting {
    call: CallId,
    state: WaitState,
}

enum WaitState {
    Open(Option<Waker>),
    Ended(Result<Response, Fault>),
}

/// A call that was sent and is waited for: its place among the waiting.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ticket {
    pub(super) call: CallId,
    key: usize,
}

/// What came of the events of a batch, to be done when the lock is released.
#[derive(Default)]
pub(super) struct Outcomes {
    pub(super) wake: Vec<Waker>,
    pub(super) incoming: Vec<IncomingCall>,
    pub(super) stop: Vec<AbortHandle>,
    pub(super) farewell_acked: bool,
    pub(super) peer_left: bool,
    pub(super) peer_drains: bool,
    pub(super) reported: Option<Box<str>>,
    freed: usize,
}

impl Shared {
    pub(super) fn new(sender: Box<dyn PacketSender>, peer: PeerIdentity, handshake: Handshake) -> Arc<Self> {
        let Handshake { agreed, codec } = handshake;
        let state = State {
            proto: Connection::new(agreed),
            waiting: Slab::new(),
            keys: Slots::new(agreed.received),
            handlers: Slots::new(agreed.granted),
            driver: None,
            driver_notified: false,
            sent_since_driver_ran: false,
            transmitting: false,
            unsent: None,
            sender_broken: false,
            armed: None,
            rearm: false,
            flushing: Vec::new(),
            peer_left: false,
            leaving: false,
            end: None,
        };
        Arc::new(Self {
            state: Mutex::new(state),
            sender,
            credit: Arc::new(Semaphore::new(agreed.received.max_calls as usize)),
            peer: Arc::new(peer),
            codec,
            ended: watch::Sender::new(false),
        })
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, State> {
        // Nothing under the lock panics on input; what a panic of ours left behind is still whole enough to end with.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Sends a request with the credit of `permit`; a nested call, without one, takes the credit for nested calls.
    pub(crate) fn send(
        &self,
        request: Request,
        permit: Option<OwnedSemaphorePermit>,
    ) -> Result<Ticket, Fault> {
        let head = RequestHead {
            service: request.service().0,
            method: request.method().id,
            fingerprint: request.method().fingerprint,
            depth: request.depth(),
            attempt: request.attempt(),
            oneway: request.method().oneway,
            deadline: request.deadline().map(tokio::time::Instant::into_std),
        };
        let body = request.into_body();
        let mut state = self.lock();
        state.check_open(&body)?;
        let Some(call) = state.proto.send_request(head, body) else {
            let fault = Fault::new(Outcome::NotSent, Reason::Overloaded { retry_after: None });
            return Err(fault.with_detail("the other end grants no more nested calls"));
        };
        // The slot gives its permit back when it is free again.
        permit.into_iter().for_each(OwnedSemaphorePermit::forget);
        let ticket = state.enter(call);
        state.arm(head.deadline);
        self.flush_or_gather(state);
        Ok(ticket)
    }

    /// The result of the call, if it is there; else `waker` is woken when it is.
    pub(super) fn poll_result(&self, ticket: Ticket, waker: &Waker) -> Option<Result<Response, Fault>> {
        let mut state = self.lock();
        let waiting = &mut state.waiting[ticket.key];
        if let WaitState::Open(waiter) = &mut waiting.state {
            if !waiter.as_ref().is_some_and(|waiter| waiter.will_wake(waker)) {
                *waiter = Some(waker.clone());
            }
            return None;
        }
        match state.waiting.remove(ticket.key).state {
            WaitState::Ended(result) => Some(result),
            WaitState::Open(_) => None,
        }
    }

    /// Nobody waits for the call any more; the callee is told unless it has ended.
    pub(super) fn abandon(&self, ticket: Ticket) {
        let mut state = self.lock();
        let waiting = state.waiting.remove(ticket.key);
        if matches!(waiting.state, WaitState::Open(_)) && state.end.is_none() {
            let abandoned = state.proto.abandon(ticket.call);
            let freed = state.settle();
            state.notify_if_over();
            if abandoned == Abandoned::Told {
                self.flush_or_gather(state);
            } else {
                drop(state);
            }
            self.credit.add_permits(freed);
        }
        // A response that came is dropped here, outside of the lock.
        drop(waiting);
    }

    /// Whether the system has the whole request; if not, `waker` is woken when that may have changed.
    pub(super) fn poll_flushed(&self, ticket: Ticket, waker: &Waker) -> Option<Result<(), Fault>> {
        let mut state = self.lock();
        if let WaitState::Ended(_) = &state.waiting[ticket.key].state {
            // Done, refused or lost: whichever, the request is no longer on its way.
            let WaitState::Ended(result) = state.waiting.remove(ticket.key).state else {
                return None;
            };
            return Some(result.map(drop));
        }
        state.flushing.push((ticket.call, waker.clone()));
        state.notify_driver();
        None
    }

    /// The request was handed to the system, and that is all its caller waits for.
    pub(super) fn forget(&self, ticket: Ticket) {
        let waiting = self.lock().waiting.try_remove(ticket.key);
        drop(waiting);
    }

    /// Whether the request is with the system, as far as the driver has flushed.
    pub(super) fn has_left(&self, ticket: Ticket) -> bool {
        let mut state = self.lock();
        state.unsent.is_none() && !state.transmitting && state.proto.has_left(ticket.call)
    }

    /// Answers a call whose handler ran in a task of its own.
    pub(super) fn answer(&self, call: CallId, result: Result<Response, Fault>) {
        let mut state = self.lock();
        state.forget_handler(call);
        let answer = answer_of(result, state.proto.max_body());
        if state.end.is_none() && state.proto.answer(call, answer) {
            state.notify_if_over();
            self.flush_or_gather(state);
        }
    }

    /// Answers a call whose handler was dropped before it had ended.
    pub(super) fn answer_interrupted(&self, call: CallId) {
        let mut state = self.lock();
        state.forget_handler(call);
        if state.end.is_none() {
            state.proto.answer_interrupted(call);
            state.notify_if_over();
            self.flush_or_gather(state);
        }
    }

    /// A call's handler begins: what its body was charged goes back to the caller.
    pub(super) fn begin(&self, call: CallId) {
        let mut state = self.lock();
        state.proto.begin(call);
        if state.proto.has_output() {
            state.notify_driver();
        }
    }

    /// Takes no more calls; ends when the running ones are over.
    pub(crate) fn drain(&self, text: &str) {
        let mut state = self.lock();
        state.proto.drain(text);
        state.leaving = true;
        state.notify_driver();
    }

    /// No channel is left: ends when the open calls are over.
    pub(crate) fn leave(&self) {
        let mut state = self.lock();
        state.leaving = true;
        state.notify_driver();
    }

    /// Ends every call that waits, and the sender. The first reason counts.
    pub(crate) fn end(&self, reason: ConnectionError) {
        let mut state = self.lock();
        if state.end.is_some() {
            return;
        }
        let reason = Arc::new(reason);
        state.end = Some(Arc::clone(&reason));
        let wake = state.end_waiting(&reason);
        let stop = state.take_handlers();
        let driver = state.driver.take();
        drop(state);
        self.credit.close();
        self.sender.close();
        stop.into_iter().for_each(|task| task.abort());
        wake.into_iter().chain(driver).for_each(Waker::wake);
        self.ended.send_replace(true);
    }

    /// Takes no calls any more, because the peer takes none.
    pub(super) fn stop_calling(&self) {
        self.credit.close();
    }

    /// Why a call cannot be sent now.
    pub(crate) fn refusal(&self) -> Fault {
        match &self.lock().end {
            Some(end) => end.fault(Outcome::NotSent),
            None => Fault::new(Outcome::NotSent, Reason::Draining),
        }
    }

    /// Why the connection ended, if it has.
    pub(crate) fn end_reason(&self) -> Option<Arc<ConnectionError>> {
        self.lock().end.clone()
    }

    pub(crate) fn subscribe(&self) -> watch::Receiver<bool> {
        self.ended.subscribe()
    }
}

impl State {
    /// Wakes the driver, once until it has run.
    pub(super) fn notify_driver(&mut self) {
        if !self.driver_notified {
            self.driver_notified = true;
            if let Some(driver) = &self.driver {
                driver.wake_by_ref();
            }
        }
    }

    /// Wakes the driver to say farewell, when the last call of an end that leaves is over.
    fn notify_if_over(&mut self) {
        if self.is_over() {
            self.notify_driver();
        }
    }

    /// Turns the protocol's events into what is to be done outside of the lock.
    pub(super) fn drain_events(&mut self, outcomes: &mut Outcomes) {
        while let Some(event) = self.proto.poll_event() {
            match event {
                Event::Incoming(call) => outcomes.incoming.push(call),
                Event::Interrupted(call) => self.interrupt(call, outcomes),
                Event::Ended(call, ending) => outcomes.wake.extend(self.end_call(call, result_of(ending))),
                Event::Freed(call) => outcomes.freed += usize::from(!self.proto.is_nested(call)),
                Event::Pong(_) => {}
                Event::Goaway(goaway) if goaway.is_protocol_error => {
                    outcomes.reported = Some(goaway.text.into());
                }
                Event::Goaway(_) => outcomes.peer_drains = true,
                Event::Farewell => {
                    self.peer_left = true;
                    outcomes.peer_left = true;
                }
                Event::FarewellAcked => outcomes.farewell_acked = true,
            }
        }
    }

    /// Sees to the driver's timer when a deadline comes before all others.
    pub(super) fn arm(&mut self, deadline: Option<StdInstant>) {
        let Some(deadline) = deadline else { return };
        if self.armed.is_none_or(|armed| deadline < armed) {
            self.armed = Some(deadline);
            self.rearm = true;
            self.notify_driver();
        }
    }

    fn check_open(&self, body: &Body) -> Result<(), Fault> {
        if let Some(end) = &self.end {
            return Err(end.fault(Outcome::NotSent));
        }
        if self.peer_left {
            return Err(Fault::new(Outcome::NotSent, Reason::Draining));
        }
        let (size, limit) = (body.len() as u64, self.proto.max_body());
        if size > limit {
            let fault = Fault::new(Outcome::NotSent, Reason::BodyTooLarge { size, limit });
            return Err(fault.with_detail("a request; the other end sets the limit, with max_body"));
        }
        Ok(())
    }

    fn enter(&mut self, call: CallId) -> Ticket {
        let key = self.waiting.insert(Waiting {
            call,
            state: WaitState::Open(None),
        });
        if let Some(place) = self.keys.entry(call.slot) {
            *place = key;
        }
        Ticket { call, key }
    }

    fn end_call(&mut self, call: CallId, result: Result<Response, Fault>) -> Option<Waker> {
        let key = *self.keys.get(call.slot)?;
        let waiting = self.waiting.get_mut(key).filter(|waiting| waiting.call == call)?;
        match std::mem::replace(&mut waiting.state, WaitState::Ended(result)) {
            WaitState::Open(waker) => waker,
            WaitState::Ended(_) => None,
        }
    }

    /// Stops a call's handler. A call whose end came in the same packet has none yet, and never gets one.
    fn interrupt(&mut self, call: CallId, outcomes: &mut Outcomes) {
        if let Some(at) = outcomes.incoming.iter().position(|incoming| incoming.id == call) {
            outcomes.incoming.remove(at);
            return self.proto.answer_interrupted(call);
        }
        let handler = self.handlers.get(call.slot).and_then(Option::take);
        outcomes.stop.extend(handler.map(|handler| handler.task));
    }

    /// Handles the events that abandoning a call may cause: how many slots are free again.
    fn settle(&mut self) -> usize {
        let mut outcomes = Outcomes::default();
        self.drain_events(&mut outcomes);
        outcomes.freed
    }

    fn end_waiting(&mut self, reason: &Arc<ConnectionError>) -> Vec<Waker> {
        let mut wake: Vec<Waker> = self.flushing.drain(..).map(|(_, waker)| waker).collect();
        for (_, waiting) in &mut self.waiting {
            if let WaitState::Open(waker) = &mut waiting.state {
                let sent = self.proto.has_left(waiting.call);
                wake.extend(waker.take());
                let outcome = if sent {
                    Outcome::MayHaveRun
                } else {
                    Outcome::NotSent
                };
                waiting.state = WaitState::Ended(Err(reason.fault(outcome)));
            }
        }
        wake
    }

    /// The handlers that end with the connection; nobody waits for their answers.
    fn take_handlers(&mut self) -> Vec<AbortHandle> {
        let handlers = self.handlers.values_mut().filter_map(Option::take);
        handlers
            .filter(|handler| !handler.oneway)
            .map(|handler| handler.task)
            .collect()
    }

    fn forget_handler(&mut self, call: CallId) {
        if self.proto.is_running(call)
            && let Some(handler) = self.handlers.get(call.slot)
        {
            *handler = None;
        }
    }
}

impl Outcomes {
    /// Does what was put off until the lock was released, except for the incoming calls. The lists keep their space.
    pub(super) fn carry_out(&mut self, shared: &Shared) {
        shared.credit.add_permits(std::mem::take(&mut self.freed));
        self.stop.drain(..).for_each(|task| task.abort());
        self.wake.drain(..).for_each(Waker::wake);
    }
}

fn result_of(ending: Ending) -> Result<Response, Fault> {
    match ending {
        Ending::Succeeded(body) => Ok(Response::ok(body)),
        Ending::Failed(body) => Ok(Response::failed(body)),
        Ending::Faulted(record) => Err(fault_of(record)),
        Ending::Done => Ok(Response::ok(Body::new())),
        Ending::DeadlinePassed { unsent: true } => {
            Err(Fault::new(Outcome::NotSent, Reason::DeadlineExceeded))
        }
        Ending::DeadlinePassed { unsent: false } => {
            Err(Fault::new(Outcome::MayHaveRun, Reason::DeadlineExceeded))
        }
    }
}
