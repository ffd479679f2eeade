//! What each received frame does. PROTOCOL.md sections 5 to 7.

use std::time::Instant;

use super::call::{CallId, Ending, FaultRecord, IncomingCall, RequestHead, code, truncated};
use super::connection::{Connection, Farewell};
use super::error::ProtocolError;
use super::event::{Event, Goaway};
use super::incoming::Arriving;
use super::source::Source;
use super::wire::{Frame, Kind, MORE, ONEWAY, OPENER, u32_at, u64_at};

impl Connection {
    pub(super) fn handle_frame<P>(
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
                (self.peer_said_farewell, self.ack_due) = (true, true);
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
        let limit = self.agreed.granted.max_body;
        if frame.has(MORE) {
            let total = u64_at(&packet.bytes()[frame.head.clone()], 4);
            let part = &packet.bytes()[frame.body.clone()];
            let open = self.outgoing.open();
            let ending =
                self.outgoing
                    .handle_large_response(call, status, total, part, limit, &mut self.outbox)?;
            self.on_ending(call, ending, open);
            return Ok(packet);
        }
        let (body, packet) = packet.body(frame);
        let open = self.outgoing.open();
        let ending = self
            .outgoing
            .handle_response(call, status, body, limit, &mut self.outbox)?;
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
