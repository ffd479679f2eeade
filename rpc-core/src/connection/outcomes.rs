//! What came of the protocol's events, for when the lock is released.

use std::task::Waker;

use tokio::task::AbortHandle;

use super::Shared;
use super::faults::fault_of;
use crate::fault::{Fault, Outcome, Reason};
use crate::message::Response;
use crate::proto::{Body, Ending, IncomingCall};

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
    /// How many slots of depth 0 are free again.
    pub(super) freed: usize,
}

impl Outcomes {
    /// Does what was put off until the lock was released, except for the incoming calls. The lists keep their space.
    pub(super) fn carry_out(&mut self, shared: &Shared) {
        shared.credit.add_permits(std::mem::take(&mut self.freed));
        self.stop.drain(..).for_each(|task| task.abort());
        self.wake.drain(..).for_each(Waker::wake);
    }
}

/// How a call's ending is told to its caller.
pub(super) fn result_of(ending: Ending) -> Result<Response, Fault> {
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
