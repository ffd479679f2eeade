//! What came of the protocol's events, for when the lock is released.

use std::task::Waker;

use tokio::task::AbortHandle;

use super::faults::fault_of;
use crate::fault::{Fault, Outcome, Reason};
use crate::message::Response;
use crate::proto::{Body, CallId, Ending, IncomingCall, ItemsEnd, RequestHead, reserve_first};
use crate::streaming::ItemError;

/// What came of the peer's calls, in the order in which it came.
pub(super) enum Arrival {
    /// A call is whole.
    Call(IncomingCall),
    /// The first part of a call has come.
    Announced(CallId, RequestHead),
    /// A call that was announced has ended before it was whole.
    Withdrawn(CallId),
}

/// What came of the events of a batch, to be done when the lock is released.
#[derive(Default)]
pub(super) struct Outcomes {
    pub(super) wake: Vec<Waker>,
    pub(super) incoming: Vec<Arrival>,
    pub(super) stop: Vec<AbortHandle>,
    pub(super) farewell_acked: bool,
    pub(super) peer_left: bool,
    pub(super) peer_drains: bool,
    pub(super) reported: Option<Box<str>>,
}

impl Outcomes {
    #[inline]
    pub(super) fn arrive(&mut self, arrival: Arrival) {
        reserve_first(&mut self.incoming);
        self.incoming.push(arrival);
    }

    /// Somebody may have to be woken.
    #[inline]
    pub(super) fn wake(&mut self, waker: Option<Waker>) {
        if let Some(waker) = waker {
            self.wake.push(waker);
        }
    }

    /// Does what was put off until the lock was released, except for the incoming calls. The lists keep their space.
    #[inline]
    pub(super) fn carry_out(&mut self) {
        // Looked at first: to drain nothing takes longer, and each packet comes by here.
        if !self.stop.is_empty() {
            self.stop.drain(..).for_each(|task| task.abort());
        }
        if !self.wake.is_empty() {
            self.wake.drain(..).for_each(Waker::wake);
        }
    }
}

/// How a call's ending is told to its caller.
#[inline]
pub(super) fn result_of(ending: Ending) -> Result<Response, Fault> {
    match ending {
        Ending::Succeeded(body) => Ok(Response::ok(body)),
        Ending::Failed(body) => Ok(Response::failed(body)),
        Ending::Faulted(record) => Err(fault_of(record)),
        Ending::Done | Ending::StreamEnded => Ok(Response::ok(Body::new())),
        Ending::DeadlinePassed { unsent: true } => {
            Err(Fault::new(Outcome::NotSent, Reason::DeadlineExceeded))
        }
        Ending::DeadlinePassed { unsent: false } => {
            Err(Fault::new(Outcome::MayHaveRun, Reason::DeadlineExceeded))
        }
    }
}

/// How a call's ending is told to whoever reads its stream.
pub(super) fn end_of(ending: Ending) -> Result<(), ItemError> {
    match ending {
        Ending::StreamEnded => Ok(()),
        Ending::Failed(error) => Err(ItemError::Failed(error)),
        other => match result_of(other) {
            Err(fault) => Err(ItemError::Fault(fault)),
            Ok(_) => Err(ItemError::Fault(Fault::new(
                Outcome::MayHaveRun,
                Reason::Cancelled,
            ))),
        },
    }
}

/// How the end of a request's items is told to whoever reads them.
pub(super) fn end_of_upload(end: ItemsEnd) -> Result<(), ItemError> {
    match end {
        ItemsEnd::Complete => Ok(()),
        ItemsEnd::Failed(error) => Err(ItemError::Failed(error)),
        ItemsEnd::Faulted(record) => Err(ItemError::Fault(fault_of(record))),
    }
}
