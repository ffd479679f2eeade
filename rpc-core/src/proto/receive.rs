//! Received packets, and what each frame of them does. PROTOCOL.md sections 5 to 7. Those with bodies of calls are in `calls`, those of streams in
//! `items`.

mod calls;
mod items;

use std::cell::LazyCell;
use std::time::Instant;

use bytes::Bytes;

use super::call::{CallId, Ending, FaultRecord, truncated};
use super::connection::Connection;
use super::error::ProtocolError;
use super::event::{Event, EventSink, Goaway};
use super::frame::{Frame, frame_at};
use super::goodbyes::Farewell;
use super::items::{Opener, StreamId};
use super::source::Source;
use super::wire::{Kind, MORE, OPENER, STREAM, u32_at, u64_at};

use items::is_small_item;

impl Connection {
    /// Takes in a received packet. `now` is asked only if a request in it has a deadline, or a
    /// very large body begins, and then once.
    ///
    /// # Errors
    /// If the peer broke the protocol: the connection is to be ended.
    pub fn handle_packet<P>(&mut self, packet: P, now: impl FnOnce() -> Instant) -> Result<(), ProtocolError>
    where
        P: AsRef<[u8]> + Send + 'static,
    {
        let mut events = std::mem::take(&mut self.events);
        let handled = self.handle_packet_with(packet, now, &mut events);
        events.append(&mut self.events);
        self.events = events;
        handled
    }

    /// The same, with a sink for the events that most calls have.
    ///
    /// # Errors
    /// As of `handle_packet`.
    #[inline]
    pub fn handle_packet_with<P>(
        &mut self,
        packet: P,
        now: impl FnOnce() -> Instant,
        sink: &mut impl EventSink,
    ) -> Result<(), ProtocolError>
    where
        P: AsRef<[u8]> + Send + 'static,
    {
        let now = LazyCell::new(now);
        let now: &dyn Fn() -> Instant = &|| *now;
        let bytes = packet.as_ref();
        let (size, limit) = (bytes.len(), self.agreed.max_packet);
        if size == 0 || size > limit {
            return Err(ProtocolError::PacketSize { size, limit });
        }
        if let Some(start) = self.handle_frames(Source::copied(bytes), 0, now, sink)? {
            let packet = Bytes::from_owner(packet);
            self.handle_frames(Source::shared(&packet), start, now, sink)?;
        }
        self.forget_owed();
        Ok(())
    }

    /// Handles the frames from `start` on, up to one that the packet is to be shared for.
    #[inline]
    fn handle_frames(
        &mut self,
        packet: Source<'_>,
        mut start: usize,
        now: &dyn Fn() -> Instant,
        sink: &mut impl EventSink,
    ) -> Result<Option<usize>, ProtocolError> {
        while start < packet.bytes.len() {
            let frame = frame_at(packet.bytes, start)?;
            if packet.is_to_be_shared_for(&frame) {
                return Ok(Some(start));
            }
            self.handle_frame(packet, &frame, now, sink)?;
            start = frame.end;
        }
        Ok(None)
    }

    #[inline]
    fn handle_frame(
        &mut self,
        packet: Source<'_>,
        frame: &Frame,
        now: &dyn Fn() -> Instant,
        sink: &mut impl EventSink,
    ) -> Result<(), ProtocolError> {
        let call = frame.call;
        if is_small_item(frame) {
            return self.handle_small_item(frame.body(packet.bytes), frame);
        }
        check_side(frame)?;
        if frame.begins_body() {
            self.turns.on_start(stream_of(frame));
            let timeout = self.keeping.on_body(total_of(frame.head(packet.bytes)), now);
            self.events.extend(timeout.map(Event::Timeout));
        }
        let bytes = packet.bytes;
        match frame.kind {
            Kind::Request => return self.handle_request(packet, frame, now, sink),
            Kind::Response => return self.handle_response(packet, frame, sink),
            Kind::Refused => {
                self.check_not_streaming(call)?;
                let record = FaultRecord::decode(frame.body(bytes));
                self.end(
                    call,
                    Ending::Faulted(FaultRecord {
                        outcome: super::ran::REFUSED,
                        ..record
                    }),
                )?;
            }
            Kind::Item => return self.handle_item(packet, frame),
            Kind::End => self.handle_end(bytes, frame)?,
            Kind::Fragment => {
                self.turns.on_part(stream_of(frame), frame.has(MORE));
                self.handle_fragment(frame.body(bytes), frame)?;
            }
            Kind::Cancel => {
                if self.incoming.is_receiving(call) {
                    self.events.push_back(Event::Withdrawn(call));
                }
                if self.incoming.handle_cancel(call, &mut self.outbox)? {
                    self.events.push_back(Event::Interrupted(call));
                }
            }
            Kind::Done => self.handle_done(frame.body(bytes))?,
            Kind::Credit => {
                let granted = u64_at(frame.head(bytes), 0);
                if frame.has(STREAM) {
                    self.handle_item_credit(granted, frame)?;
                } else {
                    self.outgoing.handle_credit(granted, &mut self.outbox);
                }
            }
            Kind::Ping => self.outbox.push_pong(u64_at(frame.head(bytes), 0).to_le_bytes()),
            Kind::Pong => self.events.push_back(Event::Pong(u64_at(frame.head(bytes), 0))),
            Kind::Goaway => {
                let is_protocol_error = *frame.head(bytes) == 1u16.to_le_bytes();
                let text = truncated(&String::from_utf8_lossy(frame.body(bytes))).to_owned();
                self.events.push_back(Event::Goaway(Goaway {
                    is_protocol_error,
                    text,
                }));
            }
            Kind::Optional => {}
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
        Ok(())
    }

    /// A call that is being answered by a stream has no other answer than the stream's end.
    fn check_not_streaming(&mut self, call: CallId) -> Result<(), ProtocolError> {
        if self.outgoing.is_streaming(call) {
            return Err(ProtocolError::SlotOutOfTurn { call });
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
        let is_free = self.outgoing.open() < open_before;
        self.queue_ending(call, ending, is_free);
    }

    fn queue_ending(&mut self, call: CallId, ending: Option<Ending>, is_free: bool) {
        match ending {
            Some(ending) => self.events.push_back(Event::Ended {
                call,
                ending,
                is_free,
            }),
            None if is_free => self.events.push_back(Event::Freed(call)),
            None => {}
        }
    }
}

/// The size of the body whose first part a frame brings; the end of a head with MORE.
fn total_of(head: &[u8]) -> u64 {
    head.last_chunk().map_or(0, |total| u64::from_le_bytes(*total))
}

/// The stream that a frame of the peer's is about.
fn stream_of(frame: &Frame) -> StreamId {
    let opener = if frame.has(OPENER) {
        Opener::Peer
    } else {
        Opener::ThisEnd
    };
    StreamId {
        opener,
        call: frame.call,
    }
}

fn malformed(frame: &Frame) -> ProtocolError {
    ProtocolError::MalformedHead {
        kind: frame.kind as u8,
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
            kind: frame.kind as u8,
        })
    }
}
