//! What the lock of a connection guards. What becomes of the protocol's events is in `events`.

use std::sync::Arc;
use std::task::Waker;
use std::time::Instant;

use tokio::task::AbortHandle;

use super::ConnectionError;
use super::cancelled::Cancels;
use super::credit_line::CreditLine;
use super::faults::answer_of;
use super::leaving::Leave;
use super::ping::Pings;
use super::streams::Streams;
use super::transmit::Share;
use super::waiting::WaitingCalls;
use crate::fault::{Fault, Outcome, Reason};
use crate::message::Response;
use crate::proto::{Agreed, CallId, Connection, OutPacket, Slots};
use crate::streaming::ItemError;

/// What the lock guards. Nothing of the user's runs under it. The order is that in memory, as in [`Connection`].
#[repr(C)]
pub(super) struct State {
    pub(super) proto: Connection,
    /// The driver has been woken and has not run since.
    pub(super) driver_notified: bool,
    /// A packet left since the driver last ran; what comes now gathers.
    pub(super) sent_since_driver_ran: bool,
    /// Somebody is in the middle of sending a packet.
    pub(super) transmitting: bool,
    /// The sender failed; what is still to be read is read.
    pub(super) sender_broken: bool,
    pub(super) rearm: bool,
    /// The peer has said farewell: nothing that is sent now would be read.
    pub(super) peer_left: bool,
    /// What does not wait for more.
    pub(super) share: Share,
    pub(super) driver: Option<Waker>,
    pub(super) end: Option<Arc<ConnectionError>>,
    /// The credit for calls of depth 0: the slots that are free, and who waits for one. Closed with the connection, and
    /// when an end of it leaves.
    pub(super) line: CreditLine,
    pub(super) streams: Streams,
    pub(super) cancels: Cancels,
    /// Whether this end is to leave.
    pub(super) leave: Leave,
    pub(super) waiting: WaitingCalls,
    /// Oneway calls that wait until the system has them.
    pub(super) flushing: Vec<Flushing>,
    /// A packet that the pipe had no room for.
    pub(super) unsent: Option<OutPacket>,
    /// When the driver's timer fires.
    pub(super) armed: Option<Instant>,
    pub(super) handlers: Slots<Option<Handler>>,
    /// Whoever waits for a sign of life.
    pub(super) pings: Pings,
}

/// A oneway call that waits until the system has its request.
pub(super) struct Flushing {
    pub(super) call: CallId,
    pub(super) waker: Waker,
    /// Its request was with the pipe when that was asked whether it has flushed.
    pub(super) had_left: bool,
}

/// A handler that runs in a task of its own.
pub(super) struct Handler {
    pub(super) task: AbortHandle,
    pub(super) call: CallId,
    /// Nobody waits for it, so it outlives the connection.
    pub(super) oneway: bool,
    /// Once it has begun it runs to its end, whoever waits for it.
    pub(super) finish: bool,
}

impl State {
    pub(super) fn new(agreed: &Agreed, share: Share) -> Self {
        Self {
            proto: Connection::new(*agreed),
            waiting: WaitingCalls::new(agreed.received),
            line: CreditLine::new(agreed.received.max_calls),
            handlers: Slots::new(agreed.granted),
            streams: Streams::default(),
            cancels: Cancels::default(),
            driver: None,
            driver_notified: false,
            sent_since_driver_ran: false,
            share,
            transmitting: false,
            unsent: None,
            sender_broken: false,
            armed: None,
            rearm: false,
            flushing: Vec::new(),
            pings: Pings::default(),
            peer_left: false,
            leave: Leave::No,
            end: None,
        }
    }

    /// Wakes the driver, once until it has run.
    #[inline]
    pub(super) fn notify_driver(&mut self) {
        if !self.driver_notified {
            self.driver_notified = true;
            if let Some(driver) = &self.driver {
                driver.wake_by_ref();
            }
        }
    }

    /// Wakes the driver when the last call of an end that leaves, or is going to, is over.
    pub(super) fn notify_if_over(&mut self) {
        if (self.is_leaving() || self.proto.is_draining()) && self.is_idle() {
            self.notify_driver();
        }
    }

    /// Sees to the driver's timer when a deadline comes before all others.
    pub(super) fn arm(&mut self, deadline: Option<Instant>) {
        let Some(deadline) = deadline else { return };
        if self.armed.is_none_or(|armed| deadline < armed) {
            self.armed = Some(deadline);
            self.rearm = true;
            self.notify_driver();
        }
    }

    /// Answers a call of the peer's. False: it had been answered.
    #[inline]
    pub(super) fn answer_with_result(&mut self, call: CallId, result: Result<Response, Fault>) -> bool {
        if let Ok(response) = &result {
            self.take_metadata(call, response);
        }
        self.proto.answer_by(call, |limit| answer_of(result, limit))
    }

    /// What layers put beside the result.
    #[inline]
    pub(super) fn take_metadata(&mut self, call: CallId, response: &Response) {
        if !response.metadata().is_empty() {
            self.add_metadata(call, response);
        }
    }

    fn add_metadata(&mut self, call: CallId, response: &Response) {
        let Some(metadata) = self.proto.metadata_mut(call) else {
            return;
        };
        for (key, value) in response.metadata().iter() {
            if let Err(error) = metadata.insert(key, value) {
                tracing::warn!(%error, key, "metadata of a response is left out");
            }
        }
    }

    /// Ends every call that waits: those whose request had left may have run.
    pub(super) fn end_waiting(&mut self, reason: &Arc<ConnectionError>) -> Vec<Waker> {
        let proto = &mut self.proto;
        let mut wake = self.waiting.end_all(|call| {
            let sent = proto.has_left(call);
            reason.fault(if sent {
                Outcome::MayHaveRun
            } else {
                Outcome::NotSent
            })
        });
        let lost = || ItemError::Fault(reason.fault(Outcome::MayHaveRun));
        wake.extend(self.streams.end_all(lost));
        wake.extend(self.cancels.take_all());
        wake.extend(self.flushing.drain(..).map(|flushing| flushing.waker));
        wake
    }

    /// The handlers that end with the connection; nobody waits for their answers.
    pub(super) fn take_handlers(&mut self) -> Vec<AbortHandle> {
        let proto = &mut self.proto;
        let handlers = self.handlers.values_mut().filter_map(Option::take);
        handlers
            .filter(|handler| !(handler.oneway || handler.finish && proto.has_begun(handler.call)))
            .map(|handler| handler.task)
            .collect()
    }

    pub(super) fn forget_handler(&mut self, call: CallId) {
        if self.proto.is_running(call)
            && let Some(handler) = self.handlers.get(call.slot)
        {
            *handler = None;
        }
    }
}

/// The other end grants no credit for items, which would wait for ever.
pub(super) fn no_streams(outcome: Outcome) -> Fault {
    Fault::new(outcome, Reason::Other)
        .with_detail("the other end takes no streams of items; it says in its greeting how much it takes")
}
