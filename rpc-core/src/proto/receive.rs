//! What each received frame does. PROTOCOL.md sections 5 to 7.

use std::time::Instant;

use super::call::{CallId, Ending, FaultRecord, IncomingCall, RequestHead, code, truncated};
use super::connection::{Connection, Farewell};
use super::error::ProtocolError;
use super::event::{Event, Goaway};
use super::incoming::{Arriving, Whole};
use super::items::{ItemsEnd, Opener, Room, StreamId};
use super::source::Source;
use super::wire::{Frame, Kind, MORE, ONEWAY, OPENER, STREAM, u32_at, u64_at};
use super::{Body, Metadata, Pack};

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
        let call = call_of(&frame);
        check_side(&frame)?;
        if frame.kind == Kind::Fragment {
            self.turns.on_part(stream_of(&frame, call), frame.has(MORE));
        } else if frame.has(MORE) {
            self.turns.on_start(stream_of(&frame, call));
            let timeout = self.keeping.on_body(total_of(packet.bytes(), &frame), now);
            self.events.extend(timeout.map(Event::Timeout));
        }
        match frame.kind {
            Kind::Request => return self.handle_request(packet, &frame, call, now),
            Kind::Response => return self.handle_response(packet, &frame, call),
            Kind::Refused => {
                self.check_not_streaming(call)?;
                let record = FaultRecord::decode(&packet.bytes()[frame.body]);
                self.end(
                    call,
                    Ending::Faulted(FaultRecord {
                        outcome: super::ran::REFUSED,
                        ..record
                    }),
                )?;
            }
            Kind::Item => return self.handle_item(packet, &frame, call),
            Kind::End => self.handle_end(
                &packet.bytes()[frame.head.clone()],
                &packet.bytes()[frame.body.clone()],
                &frame,
                call,
            )?,
            Kind::Fragment => self.handle_fragment(&packet.bytes()[frame.body.clone()], &frame, call)?,
            Kind::Cancel => {
                if self.incoming.is_receiving(call) {
                    self.events.push_back(Event::Withdrawn(call));
                }
                if self.incoming.handle_cancel(call, &mut self.outbox)? {
                    self.events.push_back(Event::Interrupted(call));
                }
            }
            Kind::Done => self.handle_done(&packet.bytes()[frame.body])?,
            Kind::Credit => {
                let granted = u64_at(&packet.bytes()[frame.head.clone()], 0);
                if frame.has(STREAM) {
                    self.handle_item_credit(granted, &frame, call)?;
                } else {
                    self.outgoing.handle_credit(granted, &mut self.outbox);
                }
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
        if frame.has(ONEWAY) && frame.has(STREAM) {
            return Err(malformed(frame));
        }
        let head = RequestHead::decode(&bytes[frame.head.clone()], frame.header.flags, now);
        let total = frame.has(MORE).then(|| u64_at(&bytes[frame.head.clone()], 28));
        let refuses = self.is_parting() || (self.draining && head.depth == 0);
        let refusal = refuses.then_some(code::DRAINING);
        let metadata = Metadata::decode(&bytes[frame.extensions.clone()])?;
        let arriving = Arriving {
            call,
            head,
            metadata: &metadata,
            total,
            part: &bytes[frame.body.clone()],
        };
        if self
            .incoming
            .handle_request(arriving, refusal, &mut self.outbox)?
        {
            let body;
            (body, packet) = packet.body(frame);
            self.events.push_back(Event::Incoming(IncomingCall {
                id: call,
                head,
                metadata,
                body,
            }));
        } else if self.incoming.is_receiving(call) {
            self.events.push_back(Event::Announced(call, head));
            self.events.extend(head.deadline.map(Event::Timeout));
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
        if self.outgoing.is_waited_for(call) {
            let metadata = Metadata::decode(&packet.bytes()[frame.extensions.clone()])?;
            if !metadata.is_empty() {
                self.events.push_back(Event::Metadata(call, metadata));
            }
        }
        if frame.has(STREAM) {
            if status != 0 || frame.has(MORE) {
                return Err(malformed(frame));
            }
            if self.outgoing.handle_stream(call, self.agreed.granted.stream)? {
                self.events.push_back(Event::Streaming(call));
            }
            return Ok(packet);
        }
        self.check_not_streaming(call)?;
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
        let id = stream_of(frame, call);
        if frame.has(OPENER) {
            match self.incoming.handle_fragment(call, part, more)? {
                Some(Whole::Call(call)) => self.events.push_back(Event::Incoming(call)),
                Some(Whole::Item(item)) => self.events.push_back(Event::Item(id, item)),
                None => {}
            }
        } else if self.outgoing.is_streaming(call) {
            let item = self.outgoing.handle_item_fragment(call, part, more)?;
            self.events.extend(item.map(|item| Event::Item(id, item)));
        } else {
            let open = self.outgoing.open();
            let ending = self
                .outgoing
                .handle_fragment(call, part, more, &mut self.outbox)?;
            self.on_ending(call, ending, open);
        }
        Ok(())
    }

    /// A whole item that is copied, beside those before it in the same packets.
    pub(super) fn handle_small_item(&mut self, item: &[u8], frame: &Frame) -> Result<(), ProtocolError> {
        let call = call_of(frame);
        if !self.take_in_item(None, item, frame, call)? {
            return Ok(());
        }
        let id = stream_of(frame, call);
        match self.events.back_mut() {
            Some(Event::Items(last, pack)) if *last == id => pack.push(item),
            _ => {
                let mut pack = Pack::default();
                pack.push(item);
                self.events.push_back(Event::Items(id, pack));
            }
        }
        Ok(())
    }

    fn handle_item<P>(
        &mut self,
        packet: Source<P>,
        frame: &Frame,
        call: CallId,
    ) -> Result<Source<P>, ProtocolError>
    where
        P: AsRef<[u8]> + Send + 'static,
    {
        let bytes = packet.bytes();
        let total = frame.has(MORE).then(|| u64_at(&bytes[frame.head.clone()], 0));
        let part = &bytes[frame.body.clone()];
        if !self.take_in_item(total, part, frame, call)? {
            return Ok(packet);
        }
        let (item, packet) = packet.item(frame);
        self.events.push_back(Event::Item(stream_of(frame, call), item));
        Ok(packet)
    }

    /// Counts an item, or the first part of one. True: it is whole, and wanted.
    #[inline]
    fn take_in_item(
        &mut self,
        total: Option<u64>,
        part: &[u8],
        frame: &Frame,
        call: CallId,
    ) -> Result<bool, ProtocolError> {
        if frame.has(OPENER) {
            self.incoming.handle_item(call, total, part, &self.under_way)
        } else {
            let limit = self.agreed.granted.max_body;
            self.outgoing
                .handle_item(call, total, part, limit, &self.under_way)
        }
    }

    fn handle_end(
        &mut self,
        head: &[u8],
        body: &[u8],
        frame: &Frame,
        call: CallId,
    ) -> Result<(), ProtocolError> {
        let end = match head[0] {
            0 => ItemsEnd::Complete,
            1 => ItemsEnd::Failed(Body::copy_from(body)),
            2 => ItemsEnd::Faulted(FaultRecord::decode(body)),
            _ => return Err(malformed(frame)),
        };
        if frame.has(OPENER) {
            let complete = matches!(end, ItemsEnd::Complete);
            if self.incoming.handle_end(call, complete)? {
                self.events.push_back(Event::UploadEnded(call, end));
            }
            return Ok(());
        }
        let open = self.outgoing.open();
        let ending = self.outgoing.handle_end(call, end, &mut self.outbox)?;
        self.on_ending(call, ending, open);
        Ok(())
    }

    fn handle_item_credit(&mut self, granted: u64, frame: &Frame, call: CallId) -> Result<(), ProtocolError> {
        let id = stream_of(frame, call);
        if frame.has(OPENER) {
            if self.incoming.handle_item_credit(call, granted)? {
                self.events.push_back(Event::Room(id));
            }
            return Ok(());
        }
        self.events
            .extend(match self.outgoing.handle_item_credit(call, granted)? {
                Some(Room::Stopped) => Some(Event::UploadStopped(call)),
                Some(_) => Some(Event::Room(id)),
                None => None,
            });
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
        if let Some(ending) = ending {
            self.events.push_back(Event::Ended(call, ending));
        }
        if self.outgoing.open() < open_before {
            self.events.push_back(Event::Freed(call));
        }
    }
}

/// The size of the body whose first part the frame brings; the end of a head with MORE.
fn total_of(packet: &[u8], frame: &Frame) -> u64 {
    packet[frame.head.clone()]
        .last_chunk()
        .map_or(0, |total| u64::from_le_bytes(*total))
}

/// Whether a frame brings a whole item that is copied out of its packet, as most are.
pub(super) fn is_small_item(frame: &Frame) -> bool {
    frame.kind == Kind::Item && !frame.has(MORE) && frame.body.len() < Pack::MAX_ITEM
}

fn call_of(frame: &Frame) -> CallId {
    CallId {
        slot: frame.header.slot,
        generation: frame.header.generation,
    }
}

/// The stream that a frame of the peer's is about.
fn stream_of(frame: &Frame, call: CallId) -> StreamId {
    let opener = if frame.has(OPENER) {
        Opener::Peer
    } else {
        Opener::ThisEnd
    };
    StreamId { opener, call }
}

fn malformed(frame: &Frame) -> ProtocolError {
    ProtocolError::MalformedHead {
        kind: frame.header.kind,
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
