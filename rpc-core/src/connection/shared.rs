//! What the driver and the callers of one connection share: the protocol, the calls that wait, and the sender.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Waker;

use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};

use super::ConnectionError;
use super::faults::answer_of;
use super::handshake::Handshake;
use super::ping::Pings;
use super::state::State;
use super::waiting::{Ticket, WaitState};
use crate::codec::Codec;
use crate::fault::{Fault, Outcome, Reason};
use crate::message::{Request, Response};
use crate::proto::{Abandoned, CallId, RequestHead};
use crate::transport::{PacketSender, PeerIdentity};

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

impl Shared {
    pub(super) fn new(sender: Box<dyn PacketSender>, peer: PeerIdentity, handshake: Handshake) -> Arc<Self> {
        let Handshake { agreed, codec } = handshake;
        let state = State::new(&agreed);
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
            fingerprint: request.method().fingerprint(),
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
        let ticket = state.waiting.enter(call);
        state.arm(head.deadline);
        self.flush_or_gather(state);
        Ok(ticket)
    }

    /// The result of the call, if it is there; else `waker` is woken when it is.
    pub(super) fn poll_result(&self, ticket: Ticket, waker: &Waker) -> Option<Result<Response, Fault>> {
        let mut state = self.lock();
        let result = state.waiting.take_result(ticket);
        if result.is_none() {
            state.waiting.set_waker(ticket, waker);
        }
        result
    }

    /// Nobody waits for the call any more; the callee is told unless it has ended.
    pub(super) fn abandon(&self, ticket: Ticket) {
        let mut state = self.lock();
        let waiting = state.waiting.remove(ticket);
        if matches!(waiting, WaitState::Open(_)) && state.end.is_none() {
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
        if let Some(result) = state.waiting.take_result(ticket) {
            // Done, refused or lost: whichever, the request is no longer on its way.
            return Some(result.map(drop));
        }
        match state.flushing.iter_mut().find(|(call, _)| *call == ticket.call) {
            Some((_, waiting)) => waiting.clone_from(waker),
            None => state.flushing.push((ticket.call, waker.clone())),
        }
        state.notify_driver();
        None
    }

    /// The request was handed to the system, and that is all its caller waits for.
    pub(super) fn forget(&self, ticket: Ticket) {
        let waiting = self.lock().waiting.remove(ticket);
        drop(waiting);
    }

    /// Whether the request is with the system, as far as the driver has flushed.
    pub(super) fn has_left(&self, ticket: Ticket) -> bool {
        let mut state = self.lock();
        let sending = state.transmitting || state.unsent.is_some() || state.sender_broken;
        !sending && state.proto.has_left(ticket.call)
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
        state.pings = Pings::default();
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
