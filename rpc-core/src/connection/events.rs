//! What becomes of the protocol's events.

use std::time::Instant;

use super::credit_line::CreditLine;
use super::outcomes::{Arrival, Outcomes, end_of, end_of_upload, result_of};
use super::state::State;
use super::streams::{Came, Streams};
use super::waiting::WaitingCalls;
use crate::proto::{Body, CallId, Ending, Event, EventSink, IncomingCall, Opener, ProtocolError, StreamId};
use crate::transport::Packet;

impl State {
    /// Takes in a received packet, and turns what came of it into what is to be done outside of the lock.
    #[inline]
    pub(super) fn handle_packet(
        &mut self,
        packet: Packet,
        now: impl FnOnce() -> Instant,
        outcomes: &mut Outcomes,
    ) -> Result<(), ProtocolError> {
        let mut shortcut = Shortcut {
            waiting: &mut self.waiting,
            streams: &mut self.streams,
            line: &mut self.line,
            outcomes,
        };
        let handled = self.proto.handle_packet_with(packet, now, &mut shortcut);
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
                        self.streams.open_upload(call.id);
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
                    end_call(&mut self.waiting, &mut self.streams, call, ending, outcomes);
                    if is_free {
                        give_credit_back(&self.waiting, &mut self.line, call, outcomes);
                    }
                }
                Event::Streaming(call) => {
                    let opener = Opener::ThisEnd;
                    self.streams.open(StreamId { opener, call });
                    outcomes.wake(self.waiting.start_stream(call));
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
                Event::Freed(call) => give_credit_back(&self.waiting, &mut self.line, call, outcomes),
                Event::Pong(payload) => self.pings.on_pong(payload),
                Event::Goaway(goaway) if goaway.is_protocol_error => {
                    outcomes.reported = Some(goaway.text.into());
                }
                Event::Goaway(_) => {
                    outcomes.wake.extend(self.line.close());
                    outcomes.peer_drains = true;
                }
                Event::Farewell => {
                    outcomes.wake.extend(self.line.close());
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
}

/// The way of the events that each call has past the queue.
struct Shortcut<'a> {
    waiting: &'a mut WaitingCalls,
    streams: &'a mut Streams,
    line: &'a mut CreditLine,
    outcomes: &'a mut Outcomes,
}

impl EventSink for Shortcut<'_> {
    #[inline]
    fn on_incoming(&mut self, call: IncomingCall) {
        if call.head.upload {
            self.streams.open_upload(call.id);
        }
        self.outcomes.arrive(Arrival::Call(call));
    }

    #[inline]
    fn on_succeeded(&mut self, call: CallId, body: Body) {
        end_call(
            self.waiting,
            self.streams,
            call,
            Ending::Succeeded(body),
            self.outcomes,
        );
        give_credit_back(self.waiting, self.line, call, self.outcomes);
    }
}

/// A call of this end's has ended, or is answered by a stream that has: who waits for it is told.
#[inline]
fn end_call(
    waiting: &mut WaitingCalls,
    streams: &mut Streams,
    call: CallId,
    ending: Ending,
    outcomes: &mut Outcomes,
) {
    let opener = Opener::ThisEnd;
    let id = StreamId { opener, call };
    outcomes.wake(streams.end_sender(id));
    if streams.has_reader(id) {
        return outcomes.wake(streams.end(id, end_of(ending)));
    }
    outcomes.wake(waiting.end(call, result_of(ending)));
}

/// The slot of a call of this end's is free; whoever is first in line may use it.
#[inline]
fn give_credit_back(waiting: &WaitingCalls, line: &mut CreditLine, call: CallId, outcomes: &mut Outcomes) {
    if !waiting.is_nested(call) {
        outcomes.wake(line.give());
    }
}
