//! The protocol's state over one pipe, the same at both ends.

use std::cell::LazyCell;
use std::collections::VecDeque;
use std::time::Instant;

use super::Body;
use super::agreed::Agreed;
use super::call::{CallId, Ending, FaultRecord, IncomingCall, RequestHead, code, truncated};
use super::error::ProtocolError;
use super::event::{Answer, Event, Goaway};
use super::incoming::{Arriving, Incoming};
use super::outbox::{Mark, OutFrame, OutPacket, Outbox};
use super::outgoing::{Abandoned, Outgoing};
use super::source::Source;
use super::wire::{self, Frame, Kind, MORE, ONEWAY, OPENER, u32_at, u64_at};

/// The protocol's state over one pipe, from the handshake on. Either end may call the other.
///
/// Input goes in by `handle_*`, what this end wants by the other commands; packets come out of [`Self::take_packet`],
/// events out of [`Self::poll_event`]. After a [`ProtocolError`] only packets may still be taken.
pub struct Connection {
    agreed: Agreed,
    outgoing: Outgoing,
    incoming: Incoming,
    outbox: Outbox,
    events: VecDeque<Event>,
    /// Calls of depth 0 are refused.
    draining: bool,
    farewell: Farewell,
    peer_said_farewell: bool,
    /// How many bytes of large request bodies the peer knows that it was granted.
    credit_told: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Farewell {
    Unsaid,
    /// Leaves when all else has left.
    Due,
    Said,
}

impl Connection {
    /// The state after a handshake that led to `agreed`.
    #[must_use]
    pub fn new(agreed: Agreed) -> Self {
        Self {
            agreed,
            outgoing: Outgoing::new(agreed.received),
            incoming: Incoming::new(agreed.granted),
            outbox: Outbox::new(agreed.max_packet),
            events: VecDeque::new(),
            draining: false,
            farewell: Farewell::Unsaid,
            peer_said_farewell: false,
            credit_told: agreed.granted.window,
        }
    }

    /// Takes in a received packet. `now` is asked only if a request in it has a deadline, and then once.
    ///
    /// # Errors
    /// If the peer broke the protocol: the connection is to be ended.
    pub fn handle_packet<P>(&mut self, packet: P, now: impl FnOnce() -> Instant) -> Result<(), ProtocolError>
    where
        P: AsRef<[u8]> + Send + 'static,
    {
        let now = LazyCell::new(now);
        let now: &dyn Fn() -> Instant = &|| *now;
        let mut packet = Source::Owned(packet);
        let size = packet.bytes().len();
        let limit = self.agreed.max_packet;
        if size == 0 || size > limit {
            return Err(ProtocolError::PacketSize { size, limit });
        }
        let mut start = 0;
        while start < size {
            let (frame, next) = wire::frame_at(packet.bytes(), start)?;
            if let Some(frame) = frame {
                packet = self.handle_frame(packet, frame, now)?;
            }
            start = next;
        }
        Ok(())
    }

    /// The time has come that [`Self::next_timeout`] told.
    pub fn handle_timeout(&mut self, now: Instant) {
        for call in self.outgoing.overdue(now) {
            let unsent = self.abandon(call) == Abandoned::Withdrawn;
            self.events
                .push_back(Event::Ended(call, Ending::DeadlinePassed { unsent }));
        }
        for call in self.incoming.overdue(now) {
            if self.incoming.expire(call, &mut self.outbox) {
                self.events.push_back(Event::Interrupted(call));
            }
        }
    }

    /// Opens a call and queues its request. `None`: no credit is left. The body is within [`Self::max_body`].
    pub fn send_request(&mut self, head: RequestHead, body: Body) -> Option<CallId> {
        self.outgoing.send(head, body, &mut self.outbox)
    }

    /// Nobody waits for the call any more: it is taken back, or the callee is told.
    pub fn abandon(&mut self, call: CallId) -> Abandoned {
        let abandoned = self.outgoing.abandon(call, &mut self.outbox);
        if abandoned == Abandoned::Withdrawn {
            self.events.push_back(Event::Freed(call));
        }
        abandoned
    }

    /// A call of the peer's is handed to its handler.
    pub fn begin(&mut self, call: CallId) {
        self.incoming.begin(call);
    }

    /// Answers a call of the peer's. False: it had been answered.
    pub fn answer(&mut self, call: CallId, answer: Answer) -> bool {
        self.incoming.answer(call, answer, &mut self.outbox)
    }

    /// Answers a call of the peer's whose handler was dropped before it ended.
    pub fn answer_interrupted(&mut self, call: CallId) {
        let answer = self.incoming.interrupted_answer(call);
        self.answer(call, answer);
    }

    /// Asks the peer for a sign of life; it comes as [`Event::Pong`].
    pub fn ping(&mut self, payload: u64) {
        self.outbox
            .push(&plain(Kind::Ping, &payload.to_le_bytes()), Body::new());
    }

    /// Refuses calls of depth 0 from now on, and tells the peer.
    pub fn drain(&mut self, text: &str) {
        if !self.draining {
            self.draining = true;
            self.goaway(0, text);
        }
    }

    /// Tells the peer what it did wrong; the connection ends after.
    pub fn report(&mut self, error: &ProtocolError) {
        self.goaway(1, &error.to_string());
    }

    /// Says farewell once all else has left.
    pub fn say_farewell(&mut self) {
        if self.farewell == Farewell::Unsaid {
            self.farewell = Farewell::Due;
        }
    }

    /// The next packet to send; what is left of deadlines is reckoned from `now`, which is asked only if there are any.
    pub fn take_packet(&mut self, now: impl FnOnce() -> Instant) -> Option<OutPacket> {
        if self.is_credit_due() {
            self.credit_told = self.incoming.granted();
            let granted = self.credit_told.to_le_bytes();
            self.outbox.push(&plain(Kind::Credit, &granted), Body::new());
        }
        if self.farewell == Farewell::Due && self.outbox.is_empty() {
            self.farewell = Farewell::Said;
            self.outbox.push(&plain(Kind::Farewell, &[]), Body::new());
        }
        let (packet, sent) = self.outbox.take(now)?;
        match sent {
            Some(body) if body.by_opener => self.outgoing.on_body_sent(body.call),
            Some(body) => self.incoming.on_body_sent(body.call),
            None => {}
        }
        Some(packet)
    }

    /// Gives a sent packet back, for its buffer.
    pub fn recycle(&mut self, packet: OutPacket) {
        self.outbox.recycle(packet);
    }

    /// The next thing that somebody has to know.
    pub fn poll_event(&mut self) -> Option<Event> {
        self.events.pop_front()
    }

    /// When [`Self::handle_timeout`] is to be called, at the latest.
    #[must_use]
    pub fn next_timeout(&self) -> Option<Instant> {
        [self.outgoing.next_deadline(), self.incoming.next_deadline()]
            .into_iter()
            .flatten()
            .min()
    }

    /// Whether [`Self::take_packet`] has something to give.
    #[must_use]
    pub fn has_output(&self) -> bool {
        !self.outbox.is_empty() || self.is_credit_due() || self.farewell == Farewell::Due
    }

    /// Whether the whole request of a call of this end's was taken for sending.
    pub fn has_left(&mut self, call: CallId) -> bool {
        self.outgoing.has_left(call, &self.outbox)
    }

    /// Whether a call of the peer's is with its handler and is to stay there.
    pub fn is_running(&mut self, call: CallId) -> bool {
        self.incoming.is_running(call)
    }

    /// Whether a call of this end's takes credit for nested calls.
    #[must_use]
    pub fn is_nested(&self, call: CallId) -> bool {
        call.slot >= self.agreed.received.max_calls
    }

    /// How many calls of the peer's have no answer yet.
    #[must_use]
    pub fn incoming_open(&self) -> usize {
        self.incoming.open()
    }

    /// How many calls of this end's are open, abandoned ones included.
    #[must_use]
    pub fn outgoing_open(&self) -> usize {
        self.outgoing.open()
    }

    /// The largest body the peer takes, in bytes.
    #[must_use]
    pub fn max_body(&self) -> u64 {
        self.outgoing.max_body()
    }

    /// Whether calls of depth 0 are refused.
    #[must_use]
    pub fn is_draining(&self) -> bool {
        self.draining
    }

    /// Whether credit went back, by whatever way a body's call came to its handler or its end.
    fn is_credit_due(&self) -> bool {
        self.incoming.granted() != self.credit_told
    }

    fn handle_frame<P>(
        &mut self,
        packet: Source<P>,
        frame: Frame,
        now: &dyn Fn() -> Instant,
    ) -> Result<Source<P>, ProtocolError>
    where
        P: AsRef<[u8]> + Send + 'static,
    {
        let call = CallId {
            slot: frame.header.slot,
            generation: frame.header.generation,
        };
        check_side(&frame)?;
        match frame.kind {
            Kind::Request => return self.handle_request(packet, &frame, call, now),
            Kind::Response => return self.handle_response(packet, &frame, call),
            Kind::Refused => {
                let record = FaultRecord::decode(&packet.bytes()[frame.body]);
                self.end(
                    call,
                    Ending::Faulted(FaultRecord {
                        outcome: super::ran::REFUSED,
                        ..record
                    }),
                )?;
            }
            Kind::Fragment => self.handle_fragment(&packet.bytes()[frame.body.clone()], &frame, call)?,
            Kind::Cancel => {
                if self.incoming.handle_cancel(call, &mut self.outbox)? {
                    self.events.push_back(Event::Interrupted(call));
                }
            }
            Kind::Done => self.handle_done(&packet.bytes()[frame.body])?,
            Kind::Credit => {
                let granted = u64_at(&packet.bytes()[frame.head], 0);
                self.outgoing.handle_credit(granted, &mut self.outbox);
            }
            Kind::Ping => self
                .outbox
                .push_pong(u64_at(&packet.bytes()[frame.head], 0).to_le_bytes()),
            Kind::Pong => self
                .events
                .push_back(Event::Pong(u64_at(&packet.bytes()[frame.head], 0))),
            Kind::Goaway => {
                let is_protocol_error = packet.bytes()[frame.head] == 1u16.to_le_bytes();
                let text = truncated(&String::from_utf8_lossy(&packet.bytes()[frame.body])).to_owned();
                self.events.push_back(Event::Goaway(Goaway {
                    is_protocol_error,
                    text,
                }));
            }
            // An acknowledgement is queued for it, so there is only one.
            Kind::Farewell if self.peer_said_farewell => return Err(ProtocolError::SecondFarewell),
            Kind::Farewell => {
                self.peer_said_farewell = true;
                self.outbox.push(&plain(Kind::FarewellAck, &[]), Body::new());
                self.events.push_back(Event::Farewell);
            }
            Kind::FarewellAck if self.farewell == Farewell::Said => {
                self.events.push_back(Event::FarewellAcked);
            }
            Kind::FarewellAck => return Err(ProtocolError::UnexpectedFarewellAck),
        }
        Ok(packet)
    }

    fn handle_request<P>(
        &mut self,
        mut packet: Source<P>,
        frame: &Frame,
        call: CallId,
        now: &dyn Fn() -> Instant,
    ) -> Result<Source<P>, ProtocolError>
    where
        P: AsRef<[u8]> + Send + 'static,
    {
        let bytes = packet.bytes();
        let head = RequestHead::decode(&bytes[frame.head.clone()], frame.has(ONEWAY), now);
        let total = frame.has(MORE).then(|| u64_at(&bytes[frame.head.clone()], 28));
        let refusal = (self.draining && head.depth == 0).then_some(code::DRAINING);
        let arriving = Arriving {
            call,
            head,
            total,
            part: &bytes[frame.body.clone()],
        };
        if self
            .incoming
            .handle_request(arriving, refusal, &mut self.outbox)?
        {
            let body;
            (body, packet) = packet.body(frame);
            self.events
                .push_back(Event::Incoming(IncomingCall { id: call, head, body }));
        } else if let Some(deadline) = head.deadline {
            self.events.push_back(Event::BodyDeadline(deadline));
        }
        Ok(packet)
    }

    fn handle_response<P>(
        &mut self,
        packet: Source<P>,
        frame: &Frame,
        call: CallId,
    ) -> Result<Source<P>, ProtocolError>
    where
        P: AsRef<[u8]> + Send + 'static,
    {
        let status = packet.bytes()[frame.head.start];
        if frame.has(MORE) {
            let total = u64_at(&packet.bytes()[frame.head.clone()], 4);
            let limit = self.agreed.granted.max_body;
            let part = &packet.bytes()[frame.body.clone()];
            self.outgoing
                .handle_large_response(call, status, total, part, limit)?;
            return Ok(packet);
        }
        let (body, packet) = packet.body(frame);
        let open = self.outgoing.open();
        let ending = self
            .outgoing
            .handle_response(call, status, body, &mut self.outbox)?;
        self.on_ending(call, ending, open);
        Ok(packet)
    }

    fn handle_fragment(&mut self, part: &[u8], frame: &Frame, call: CallId) -> Result<(), ProtocolError> {
        let more = frame.has(MORE);
        if !frame.has(OPENER) {
            let open = self.outgoing.open();
            let ending = self
                .outgoing
                .handle_fragment(call, part, more, &mut self.outbox)?;
            self.on_ending(call, ending, open);
        } else if let Some(whole) = self.incoming.handle_fragment(call, part, more)? {
            self.events.push_back(Event::Incoming(whole));
        }
        Ok(())
    }

    fn handle_done(&mut self, pairs: &[u8]) -> Result<(), ProtocolError> {
        if !pairs.len().is_multiple_of(8) {
            return Err(ProtocolError::MalformedHead {
                kind: Kind::Done as u8,
            });
        }
        for pair in pairs.chunks_exact(8) {
            self.end(
                CallId {
                    slot: u32_at(pair, 0),
                    generation: u32_at(pair, 4),
                },
                Ending::Done,
            )?;
        }
        Ok(())
    }

    fn end(&mut self, call: CallId, ending: Ending) -> Result<(), ProtocolError> {
        let open = self.outgoing.open();
        let ending = self.outgoing.handle_terminal(call, ending, &mut self.outbox)?;
        self.on_ending(call, ending, open);
        Ok(())
    }

    fn on_ending(&mut self, call: CallId, ending: Option<Ending>, open_before: usize) {
        if let Some(ending) = ending {
            self.events.push_back(Event::Ended(call, ending));
        }
        if self.outgoing.open() < open_before {
            self.events.push_back(Event::Freed(call));
        }
    }

    fn goaway(&mut self, reason: u16, text: &str) -> Mark {
        self.outbox.push(
            &plain(Kind::Goaway, &reason.to_le_bytes()),
            Body::copy_from(truncated(text).as_bytes()),
        )
    }
}

/// A frame that belongs to no call.
fn plain(kind: Kind, head: &[u8]) -> OutFrame<'_> {
    OutFrame {
        kind,
        flags: 0,
        call: CallId {
            slot: 0,
            generation: 0,
        },
        head,
        deadline: None,
    }
}

/// Requests and cancels come from the opener of their call, answers from the other end.
fn check_side(frame: &Frame) -> Result<(), ProtocolError> {
    let right = match frame.kind {
        Kind::Request | Kind::Cancel => frame.has(OPENER),
        Kind::Response | Kind::Refused | Kind::Done => !frame.has(OPENER),
        _ => true,
    };
    if right {
        Ok(())
    } else {
        Err(ProtocolError::WrongSide {
            kind: frame.header.kind,
        })
    }
}
