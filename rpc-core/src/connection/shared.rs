//! What the driver and the callers of one connection share: the protocol, the calls that wait, and the sender.

use std::pin::pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Waker;

use tokio::runtime::Handle;
use tokio::sync::{Notify, Semaphore};

use super::ConnectionError;
use super::handshake::Handshake;
use super::leaving::Leave;
use super::outcomes::Outcomes;
use super::ping::Pings;
use super::receiver::ItemsReceiver;
use super::state::State;
use super::waiting::{Ticket, WaitState};
use crate::codec::Codec;
use crate::fault::{Fault, Outcome, Reason};
use crate::message::{Request, Response};
use crate::proto::{Abandoned, Answer, CallId, MetadataError, Opener, RequestHead, StreamId};
use crate::streaming::{Items, Upload};
use crate::transport::{PacketSender, PeerIdentity};

/// One connection, as its driver, its channels and its handlers see it.
pub(crate) struct Shared {
    state: Mutex<State>,
    pub(super) sender: Box<dyn PacketSender>,
    /// The line in front of the slots for calls of depth 0: a permit is a free slot.
    pub(crate) credit: Arc<Semaphore>,
    pub(crate) peer: PeerIdentity,
    pub(crate) codec: Codec,
    /// Told when the connection has ended, takes no more calls, or has no open call any more while it drains.
    pub(super) changed: Notify,
    /// Where the connection and what belongs to it runs.
    pub(super) runtime: Handle,
}

impl Shared {
    pub(super) fn new(sender: Box<dyn PacketSender>, peer: PeerIdentity, handshake: Handshake) -> Arc<Self> {
        let Handshake { agreed, codec } = handshake;
        let state = State::new(&agreed);
        Arc::new(Self {
            state: Mutex::new(state),
            sender,
            credit: Arc::new(Semaphore::new(agreed.received.max_calls as usize)),
            peer,
            codec,
            changed: Notify::new(),
            runtime: Handle::current(),
        })
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, State> {
        // Nothing under the lock panics on input; what a panic of ours left behind is still whole enough to end with.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Sends a request; `waker`, if there is one, is woken when its result is there. A nested call takes the credit for
    /// nested calls. For any other the sender has a permit of `credit`, and forgets it: the slot gives it back when it is
    /// free again.
    pub(crate) fn send(self: &Arc<Self>, request: Request, waker: Option<Waker>) -> Result<Ticket, Fault> {
        let head = RequestHead {
            service: request.service().0,
            method: request.method().id,
            fingerprint: request.method().fingerprint(),
            depth: request.depth(),
            attempt: request.attempt(),
            oneway: request.method().oneway,
            upload: request.upload().is_some(),
            buffer: request.method().buffer,
            deadline: request.deadline().map(tokio::time::Instant::into_std),
        };
        let max_body = request.method().max_body;
        let upload = request.upload().cloned();
        let items = upload.as_ref().map(take_upload).transpose()?;
        let (metadata, body) = request.into_metadata_and_body();
        let mut state = self.lock();
        let call = match state.open_call(head, metadata, body, max_body) {
            Ok(call) => call,
            Err(fault) => {
                drop(state);
                // Nothing was sent, so another attempt may send it.
                if let Some(upload) = upload {
                    upload.put_back(items);
                }
                return Err(fault);
            }
        };
        if let Some(limit) = max_body {
            state.proto.limit_response(call, limit);
        }
        let ticket = state.waiting.enter(call, waker);
        state.arm(head.deadline);
        let feeding = items.map(|items| (state.streams.open_outlet(call), items));
        self.flush_or_gather(state);
        if let Some((outlet, items)) = feeding {
            self.start_upload(outlet, items);
        }
        Ok(ticket)
    }

    /// The result of the call, if it is there; else `waker` is woken when it is.
    pub(super) fn poll_result(
        self: &Arc<Self>,
        ticket: Ticket,
        waker: &Waker,
    ) -> Option<Result<Response, Fault>> {
        let mut state = self.lock();
        let Some((result, metadata)) = state.waiting.take_result(ticket) else {
            state.waiting.set_waker(ticket, waker);
            return None;
        };
        state.notify_if_leaving();
        drop(state);
        let result = result.unwrap_or_else(|| Ok(self.stream_of(ticket.call)));
        Some(result.map(|response| response.with_metadata(metadata)))
    }

    /// The response of a call that is answered by a stream.
    fn stream_of(self: &Arc<Self>, call: CallId) -> Response {
        let opener = Opener::ThisEnd;
        let items = ItemsReceiver::new(self, StreamId { opener, call });
        Response::stream(Items::of(items))
    }

    /// Nobody waits for the call any more; the callee is told unless it has ended.
    pub(super) fn abandon(&self, ticket: Ticket) {
        let mut state = self.lock();
        let waiting = state.waiting.remove(ticket);
        let mut unread = None;
        if !matches!(waiting, WaitState::Ended(_)) && state.end.is_none() {
            let opener = Opener::ThisEnd;
            let call = ticket.call;
            unread = state.streams.close(StreamId { opener, call });
            self.cancel(state, call);
        } else {
            drop(state);
        }
        // What came is dropped here, outside of the lock.
        drop((waiting, unread));
    }

    /// Ends a call of this end's that nobody waits for.
    pub(super) fn cancel(&self, mut state: MutexGuard<'_, State>, call: CallId) {
        let abandoned = state.proto.abandon(call);
        let mut outcomes = Outcomes::default();
        let opener = Opener::ThisEnd;
        outcomes
            .wake
            .extend(state.streams.end_sender(StreamId { opener, call }));
        state.drain_events(&mut outcomes);
        state.notify_if_leaving();
        if abandoned == Abandoned::Told {
            self.flush_or_gather(state);
        } else {
            drop(state);
        }
        outcomes.carry_out(self);
    }

    /// Whether the system has the whole request; if not, `waker` is woken when that may have changed.
    pub(super) fn poll_flushed(&self, ticket: Ticket, waker: &Waker) -> Option<Result<(), Fault>> {
        let mut state = self.lock();
        if let Some((result, _)) = state.waiting.take_result(ticket) {
            // Done, refused or lost: whichever, the request is no longer on its way.
            return Some(result.map_or(Ok(()), |result| result.map(drop)));
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
        let mut state = self.lock();
        let waiting = state.waiting.remove(ticket);
        state.notify_if_leaving();
        drop(state);
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
        let answer = state.answer_of(call, result);
        self.answer_with(state, call, answer);
    }

    /// Sends the terminal frame of a call of the peer's.
    pub(super) fn answer_with(&self, mut state: MutexGuard<'_, State>, call: CallId, answer: Answer) {
        state.forget_handler(call);
        let woken = state.end_call_of_peer(call);
        if state.end.is_none() && state.proto.answer(call, answer) {
            state.notify_if_over();
            self.flush_or_gather(state);
        } else {
            drop(state);
        }
        woken.into_iter().for_each(Waker::wake);
    }

    /// Answers a call whose handler was dropped before it had ended.
    pub(super) fn answer_interrupted(&self, call: CallId) {
        let mut state = self.lock();
        state.forget_handler(call);
        let woken = state.end_call_of_peer(call);
        if state.end.is_none() {
            state.proto.answer_interrupted(call);
            state.notify_if_over();
            self.flush_or_gather(state);
        } else {
            drop(state);
        }
        woken.into_iter().for_each(Waker::wake);
    }

    /// An entry of what travels beside the result of a call of the peer's.
    pub(crate) fn set_metadata(&self, call: CallId, key: &str, value: &[u8]) -> Result<(), MetadataError> {
        match self.lock().proto.metadata_mut(call) {
            Some(metadata) => metadata.insert(key, value),
            None => Ok(()),
        }
    }

    /// A call's handler begins: what its body was charged goes back to the caller. False: the call has ended, and nobody
    /// is to begin it.
    pub(super) fn begin(&self, call: CallId) -> bool {
        let mut state = self.lock();
        state.proto.begin(call);
        if state.proto.has_output() {
            state.notify_driver();
        }
        state.proto.has_begun(call)
    }

    /// Takes no more calls of depth 0, and makes none.
    pub(crate) fn drain(&self, text: &str) {
        let mut state = self.lock();
        state.proto.drain(text);
        state.notify_driver();
        drop(state);
        self.credit.close();
    }

    /// Waits until a draining connection has no open call, or has ended.
    pub(crate) async fn until_idle(&self) {
        self.until(|shared| shared.is_idle().then_some(())).await;
    }

    /// Waits until the connection has ended, and says why.
    pub(crate) async fn until_ended(&self) -> Arc<ConnectionError> {
        self.until(Self::end_reason).await
    }

    /// Waits until the connection takes no more calls: why, if it has ended.
    pub(crate) async fn until_retired(&self) -> Option<Arc<ConnectionError>> {
        self.until(|shared| (!shared.takes_calls()).then(|| shared.end_reason()))
            .await
    }

    /// Looks now and after each change, until there is something.
    async fn until<T>(&self, look: impl Fn(&Self) -> Option<T>) -> T {
        let mut changed = pin!(self.changed.notified());
        loop {
            // Before the look, so that no change is missed.
            changed.as_mut().enable();
            if let Some(found) = look(self) {
                return found;
            }
            changed.as_mut().await;
            changed.set(self.changed.notified());
        }
    }

    /// Whether no call is open, or the connection has ended.
    pub(crate) fn is_idle(&self) -> bool {
        let state = self.lock();
        state.end.is_some() || state.is_idle()
    }

    /// Makes no more calls of depth 0; ends when the open ones are over, or cut.
    pub(crate) fn leave(&self, how: Leave) {
        self.lock().leave(how);
        self.credit.close();
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
        self.changed.notify_waiters();
    }

    /// Takes no calls any more, because the peer takes none.
    pub(super) fn stop_calling(&self) {
        self.credit.close();
        self.changed.notify_waiters();
    }

    /// Whether calls of depth 0 may still be sent, as far as is known.
    pub(crate) fn takes_calls(&self) -> bool {
        !self.credit.is_closed()
    }

    /// Why a call cannot be sent now.
    pub(crate) fn refusal(&self) -> Fault {
        let state = self.lock();
        match &state.end {
            Some(end) => end.fault(Outcome::NotSent),
            None => match state.check_staying(0) {
                Err(leaving) => leaving,
                Ok(()) => Fault::new(Outcome::NotSent, Reason::Draining),
            },
        }
    }

    /// Why the connection ended, if it has.
    fn end_reason(&self) -> Option<Arc<ConnectionError>> {
        self.lock().end.clone()
    }
}

/// The items that follow a request; they can be sent once.
fn take_upload(upload: &Upload) -> Result<Items, Fault> {
    upload.take().ok_or_else(|| {
        let text = "its stream was sent before, with an earlier attempt; a stream can be sent once";
        Fault::new(Outcome::NotSent, Reason::Other).with_detail(text)
    })
}
