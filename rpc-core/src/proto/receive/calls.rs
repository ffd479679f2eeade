//! What the frames do that bring bodies of calls: requests, responses and their fragments. PROTOCOL.md sections 5 to 7.

use std::time::Instant;

use super::super::Metadata;
use super::super::body_limits::BodyLimit;
use super::super::call::{IncomingCall, RequestHead, code};
use super::super::connection::Connection;
use super::super::error::ProtocolError;
use super::super::event::{Event, EventSink};
use super::super::frame::Frame;
use super::super::incoming::{Arriving, Whole};
use super::super::outgoing::{Closed, ending_of};
use super::super::source::Source;
use super::super::wire::{MORE, ONEWAY, OPENER, STREAM, u64_at};
use super::{malformed, stream_of};

impl Connection {
    #[inline]
    pub(super) fn handle_request(
        &mut self,
        packet: Source<'_>,
        frame: &Frame,
        now: &dyn Fn() -> Instant,
        sink: &mut impl EventSink,
    ) -> Result<(), ProtocolError> {
        let (bytes, call) = (packet.bytes, frame.call);
        if frame.has(ONEWAY) && frame.has(STREAM) {
            return Err(malformed(frame));
        }
        let (fixed, total) = frame.head(bytes).split_first_chunk().ok_or(malformed(frame))?;
        let head = RequestHead::decode(fixed, frame.flags, now);
        let total = frame.has(MORE).then(|| u64_at(total, 0));
        let refuses = self.is_parting() || (self.draining && head.depth == 0);
        let refusal = refuses.then_some(code::DRAINING);
        let metadata = if frame.has_extensions() {
            Metadata::decode(frame.extensions(bytes))?
        } else {
            Metadata::new()
        };
        let arriving = Arriving {
            call,
            head: &head,
            metadata: &metadata,
            total,
            part: frame.body(bytes),
        };
        if self
            .incoming
            .handle_request(arriving, refusal, &mut self.outbox)?
        {
            let body = packet.body(frame.body_place());
            let incoming = IncomingCall {
                id: call,
                head,
                metadata,
                body,
            };
            if self.events.is_empty() {
                sink.on_incoming(incoming);
            } else {
                self.events.push_back(Event::Incoming(incoming));
            }
        } else if self.incoming.is_receiving(call) {
            self.events.push_back(Event::Announced(call, head));
            self.events.extend(head.deadline.map(Event::Timeout));
        }
        Ok(())
    }

    #[inline]
    pub(super) fn handle_response(
        &mut self,
        packet: Source<'_>,
        frame: &Frame,
        sink: &mut impl EventSink,
    ) -> Result<(), ProtocolError> {
        let (bytes, call) = (packet.bytes, frame.call);
        let status = frame.head(bytes)[0];
        if frame.has_extensions() && self.outgoing.is_waited_for(call) {
            let metadata = Metadata::decode(frame.extensions(bytes))?;
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
            return Ok(());
        }
        let limit = self.agreed.granted.max_body;
        if frame.has(MORE) {
            self.check_not_streaming(call)?;
            let (total, part) = (u64_at(frame.head(bytes), 4), frame.body(bytes));
            let open = self.outgoing.open();
            let ending =
                self.outgoing
                    .handle_large_response(call, status, total, part, limit, &mut self.outbox)?;
            self.on_ending(call, ending, open);
            return Ok(());
        }
        let body = packet.body(frame.body_place());
        match self.outgoing.close_answered(call, status, &mut self.outbox)? {
            Closed::WaitedFor { max_body } => {
                let limit = BodyLimit::of(max_body, limit).bytes();
                let succeeded = status == 0 && body.len() as u64 <= limit;
                if succeeded && self.events.is_empty() {
                    sink.on_succeeded(call, body);
                } else {
                    self.queue_ending(call, Some(ending_of(status, body, limit)), true);
                }
            }
            Closed::Abandoned => self.events.push_back(Event::Freed(call)),
            Closed::Late => {}
        }
        Ok(())
    }

    pub(super) fn handle_fragment(&mut self, part: &[u8], frame: &Frame) -> Result<(), ProtocolError> {
        let (call, more) = (frame.call, frame.has(MORE));
        let id = stream_of(frame);
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
}
