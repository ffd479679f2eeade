//! What the lock of a connection guards, and what becomes of the protocol's events.

use std::sync::Arc;
use std::task::Waker;
use std::time::Instant;

use tokio::task::AbortHandle;

use super::ConnectionError;
use super::cancelled::Cancels;
use super::faults::answer_of;
use super::leaving::Leave;
use super::outcomes::{Arrival, Outcomes, end_of_upload, result_of};
use super::ping::Pings;
use super::streams::{Came, Streams};
use super::transmit::Share;
use super::waiting::WaitingCalls;
use crate::fault::{Fault, Outcome, Reason};
use crate::message::Response;
use crate::proto::{
    Agreed, Answer, CallId, Connection, Event, Opener, OutPacket, ProtocolError, Slots, StreamId,
};
use crate::streaming::ItemError;
use crate::transport::Packet;

/// What the lock guards. Nothing of the user's runs under it.
pub(super) struct State {
    pub(super) proto: Connection,
    pub(super) waiting: WaitingCalls,
    pub(super) handlers: Slots<Option<Handler>>,
    pub(super) streams: Streams,
    pub(super) cancels: Cancels,
    pub(super) driver: Option<Waker>,
    /// The driver has been woken and has not run since.
    pub(super) driver_notified: bool,
    /// A packet left since the driver last ran; what comes now gathers.
    pub(super) sent_since_driver_ran: bool,
    /// What does not wait for more.
    pub(super) share: Share,
    /// Somebody is in the middle of sending a packet.
    pub(super) transmitting: bool,
    /// A packet that the pipe had no room for.
    pub(super) unsent: Option<OutPacket>,
    /// The sender failed; what is still to be read is read.
    pub(super) sender_broken: bool,
    /// When the driver's timer fires.
    pub(super) armed: Option<Instant>,
    pub(super) rearm: bool,
    /// Oneway calls that wait until the system has them.
    pub(super) flushing: Vec<(CallId, Waker)>,
    /// Whoever waits for a sign of life.
    pub(super) pings: Pings,
    /// The peer has said farewell: nothing that is sent now would be read.
    pub(super) peer_left: bool,
    /// Whether this end is to leave.
    pub(super) leave: Leave,
    pub(super) end: Option<Arc<ConnectionError>>,
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
    pub(super) fn new(agreed: &Agreed) -> Self {
        Self {
            proto: Connection::new(*agreed),
            waiting: WaitingCalls::new(agreed.received),
            handlers: Slots::new(agreed.granted),
            streams: Streams::default(),
            cancels: Cancels::default(),
            driver: None,
            driver_notified: false,
            sent_since_driver_ran: false,
            share: Share::of_process(),
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

    /// Takes in a received packet, and turns what came of it into what is to be done outside of the lock.
    ///
    /// The two events that each call has take a shortcut past the queue, which is 100 instructions a call at each end.
    #[inline]
    pub(super) fn handle_packet(
        &mut self,
        packet: Packet,
        now: impl FnOnce() -> Instant,
        outcomes: &mut Outcomes,
    ) -> Result<(), ProtocolError> {
        let Self {
            proto,
            waiting,
            streams,
            ..
        } = self;
        let handled = proto.handle_packet_with(packet, now, &mut |event| {
            match event {
                Event::Incoming(call) if !call.head.upload => outcomes.arrive(Arrival::Call(call)),
                Event::Ended {
                    call,
                    ending,
                    is_free,
                } if !streams.are_in_use() => {
                    outcomes.wake.extend(waiting.end(call, result_of(ending)));
                    outcomes.freed += usize::from(is_free && !waiting.is_nested(call));
                }
                other => return Some(other),
            }
            None
        });
        if self.proto.has_events() {
            self.drain_events(outcomes);
        }
        handled
    }

    /// Turns the protocol's events into what is to be done outside of the lock.
    pub(super) fn drain_events(&mut self, outcomes: &mut Outcomes) {
        while let Some(event) = self.proto.poll_event() {
            match event {
                Event::Incoming(call) => {
                    if call.head.upload {
                        self.open_upload(call.id);
                    }
                    outcomes.arrive(Arrival::Call(call));
                }
                Event::Announced(call, head) => outcomes.arrive(Arrival::Announced(call, head)),
                Event::Withdrawn(call) => outcomes.arrive(Arrival::Withdrawn(call)),
                Event::Metadata(call, metadata) => self.waiting.set_metadata(call, metadata),
                Event::Timeout(deadline) => self.arm(Some(deadline)),
                Event::Interrupted(call) => self.interrupt(call, outcomes),
                Event::Ended {
                    call,
                    ending,
                    is_free,
                } => {
                    self.end_call(call, ending, outcomes);
                    outcomes.freed += usize::from(is_free && !self.proto.is_nested(call));
                }
                Event::Streaming(call) => {
                    let opener = Opener::ThisEnd;
                    self.streams.open(StreamId { opener, call });
                    outcomes.wake.extend(self.waiting.start_stream(call));
                }
                Event::Items(id, pack) => outcomes.wake.extend(self.streams.put(id, Came::Pack(pack))),
                Event::Item(id, item) => outcomes.wake.extend(self.streams.put(id, Came::Item(item))),
                Event::UploadEnded(call, end) => {
                    let opener = Opener::Peer;
                    let woken = self.streams.end(StreamId { opener, call }, end_of_upload(end));
                    outcomes.wake.extend(woken);
                }
                Event::Room(id) => outcomes.wake.extend(self.streams.sender(id)),
                Event::UploadStopped(call) => {
                    let opener = Opener::ThisEnd;
                    outcomes
                        .wake
                        .extend(self.streams.sender(StreamId { opener, call }));
                }
                Event::Freed(call) => outcomes.freed += usize::from(!self.proto.is_nested(call)),
                Event::Pong(payload) => self.pings.on_pong(payload),
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

    /// Stops a handler; a call that came in the same packets as its cancel is not begun at all.
    fn interrupt(&mut self, call: CallId, outcomes: &mut Outcomes) {
        let opener = Opener::Peer;
        let id = StreamId { opener, call };
        let is_it = |arrival: &Arrival| matches!(arrival, Arrival::Call(incoming) if incoming.id == call);
        if let Some(at) = outcomes.incoming.iter().position(is_it) {
            outcomes.incoming.remove(at);
            self.streams.close(id);
            return self.proto.answer_interrupted(call);
        }
        outcomes.wake.extend(self.cancels.take(call));
        // A handler that runs to its end waits neither for items nor for room: the caller sends and takes none any more.
        outcomes.wake.extend(self.streams.sender(id));
        outcomes.wake.extend(self.end_upload_of_peer(call));
        let begun = self.proto.has_begun(call);
        let Some(handler) = self.handlers.get(call.slot) else {
            return;
        };
        let stopped = handler.take_if(|handler| !(handler.finish && begun));
        outcomes.stop.extend(stopped.map(|handler| handler.task));
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

    /// Answers a call of the peer's whose handler ended where it arrived.
    #[inline]
    pub(super) fn answer_with_result(&mut self, call: CallId, result: Result<Response, Fault>) {
        let answer = self.answer_of(call, result);
        self.proto.answer(call, answer);
    }

    /// How a handler's result goes over the wire.
    #[inline]
    pub(super) fn answer_of(&mut self, call: CallId, result: Result<Response, Fault>) -> Answer {
        if let Ok(response) = &result {
            self.take_metadata(call, response);
        }
        answer_of(result, self.proto.response_limit(call))
    }

    /// What layers put beside the result.
    pub(super) fn take_metadata(&mut self, call: CallId, response: &Response) {
        if response.metadata().is_empty() {
            return;
        }
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
        wake.extend(self.flushing.drain(..).map(|(_, waker)| waker));
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
