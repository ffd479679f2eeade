//! How this end makes its calls: what becomes of a request, and how its result is waited for.

use std::sync::{Arc, MutexGuard};
use std::task::Waker;

use super::faults::check_size;
use super::outcomes::Outcomes;
use super::permit::Permit;
use super::receiver::ItemsReceiver;
use super::sending::Sending;
use super::shared::Shared;
use super::state::{Flushing, State, no_streams};
use super::waiting::{Ticket, WaitState, Waited};
use crate::fault::{Fault, Outcome, Reason};
use crate::message::Response;
use crate::proto::{Abandoned, Body, BodyLimit, CallId, Opener, StreamId};
use crate::streaming::{Items, Upload};

impl Shared {
    /// Sends a request, whose metadata and body are taken. A nested call takes the credit for nested calls. For any other the
    /// sender has a permit, and spends it: the slot gives it back when it is free again.
    pub(crate) fn send(self: &Arc<Self>, request: Sending<'_>) -> Result<Ticket, Fault> {
        self.send_locked(self.lock(), request, None)
    }

    /// The same for a sender without a permit; `waker` is woken when the result is there. `None`: there is no credit, or the
    /// connection takes no more calls; the request is as it was.
    #[inline]
    pub(crate) fn try_send(
        self: &Arc<Self>,
        request: Sending<'_>,
        waker: Waker,
    ) -> Result<Option<Ticket>, Fault> {
        let mut state = self.lock();
        let is_nested = request.depth > 0;
        if !is_nested && !state.line.take() {
            return Ok(None);
        }
        let permit = (!is_nested).then(|| Permit::of_taken(self));
        let ticket = self.send_locked(state, request, Some(waker))?;
        permit.into_iter().for_each(Permit::spend);
        Ok(Some(ticket))
    }

    #[inline]
    fn send_locked(
        self: &Arc<Self>,
        mut state: MutexGuard<'_, State>,
        request: Sending<'_>,
        waker: Option<Waker>,
    ) -> Result<Ticket, Fault> {
        if let Some(upload) = request.upload {
            return self.send_with_items(state, request, upload, waker);
        }
        let ticket = state.begin_call(request, waker)?;
        self.flush_or_gather(state);
        Ok(ticket)
    }

    /// Sends a request that items follow; a task feeds them.
    fn send_with_items(
        self: &Arc<Self>,
        mut state: MutexGuard<'_, State>,
        request: Sending<'_>,
        upload: &Upload,
        waker: Option<Waker>,
    ) -> Result<Ticket, Fault> {
        let items = take_upload(upload)?;
        let ticket = match state.begin_call(request, waker) {
            Ok(ticket) => ticket,
            Err(fault) => {
                drop(state);
                // Nothing was sent, so another attempt may send it.
                upload.put_back(items);
                return Err(fault);
            }
        };
        let outlet = state.streams.open_outlet(ticket.call);
        self.flush_or_gather(state);
        self.start_upload(outlet, items);
        Ok(ticket)
    }

    /// The result of the call, if it is there; else `waker` is woken when it is.
    pub(super) fn poll_result(
        self: &Arc<Self>,
        ticket: Ticket,
        waker: &Waker,
    ) -> Option<Result<Response, Fault>> {
        let mut state = self.lock();
        let Some(waited) = state.waiting.take_result(ticket) else {
            state.waiting.set_waker(ticket, waker);
            return None;
        };
        state.notify_if_leaving();
        drop(state);
        Some(match waited {
            Waited::Result(result) => result,
            Waited::Flushed => Ok(Response::ok(Body::new())),
            Waited::Stream(metadata) => Ok(self.stream_of(ticket.call).with_metadata(metadata)),
        })
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
        outcomes.carry_out();
    }

    /// Whether the system has the whole request; if not, `waker` is woken when that may have changed.
    pub(super) fn poll_flushed(&self, ticket: Ticket, waker: &Waker) -> Option<Result<(), Fault>> {
        let mut state = self.lock();
        if let Some(waited) = state.waiting.take_result(ticket) {
            state.notify_if_leaving();
            return Some(match waited {
                // Who refused it has had it.
                Waited::Result(Err(fault)) if fault.outcome() == Outcome::Refused => Ok(()),
                Waited::Result(result) => result.map(drop),
                Waited::Flushed | Waited::Stream(_) => Ok(()),
            });
        }
        let call = ticket.call;
        match state.flushing.iter_mut().find(|flushing| flushing.call == call) {
            Some(flushing) => flushing.waker.clone_from(waker),
            None => state.flushing.push(Flushing {
                call,
                waker: waker.clone(),
                had_left: false,
            }),
        }
        state.notify_driver();
        None
    }
}

impl State {
    /// Opens a call, if it may be made.
    #[inline]
    fn begin_call(&mut self, request: Sending<'_>, waker: Option<Waker>) -> Result<Ticket, Fault> {
        let (method, head) = (request.method, request.head());
        self.check_open(request.body, method.max_body)?;
        self.check_staying(head.depth)?;
        if head.upload && !self.proto.takes_streams() {
            return Err(no_streams(Outcome::NotSent));
        }
        let call = self.proto.send_request_from(head, request.metadata, request.body);
        let call = call.ok_or_else(|| no_nested_credit(self.proto.max_nested()))?;
        if let Some(limit) = method.max_body {
            self.proto.limit_response(call, limit);
        }
        self.arm(head.deadline);
        Ok(self.waiting.enter(call, waker))
    }

    #[inline]
    fn check_open(&self, body: &Body, max_body: Option<u64>) -> Result<(), Fault> {
        if let Some(end) = &self.end {
            return Err(end.fault(Outcome::NotSent));
        }
        if self.peer_left {
            return Err(Fault::new(Outcome::NotSent, Reason::Draining));
        }
        let limit = BodyLimit::of(max_body, self.proto.max_body());
        check_size(Outcome::NotSent, body, limit)
    }

    /// Whether this end may make a call of that depth although it may be leaving. The handlers that still run may.
    #[inline]
    pub(super) fn check_staying(&self, depth: u8) -> Result<(), Fault> {
        let leaving = self.is_leaving() || self.proto.is_draining();
        if self.proto.is_parting() || (leaving && depth == 0) {
            let fault = Fault::new(Outcome::NotSent, Reason::Draining);
            return Err(fault.with_detail("this end is leaving"));
        }
        Ok(())
    }
}

fn no_nested_credit(granted: u32) -> Fault {
    let fault = Fault::new(Outcome::NotSent, Reason::Overloaded { retry_after: None });
    if granted == 0 {
        return fault
            .with_detail("the other end takes no calls of handlers; it does with a max_nested above 0");
    }
    fault.with_detail(format!(
        "all {granted} nested calls that the other end grants are open; it sets the limit, with max_nested"
    ))
}

/// The items that follow a request; they can be sent once.
fn take_upload(upload: &Upload) -> Result<Items, Fault> {
    upload.take().ok_or_else(|| {
        let text = "its stream was sent before, with an earlier attempt; a stream can be sent once";
        Fault::new(Outcome::NotSent, Reason::Other).with_detail(text)
    })
}
