//! What the frames of streams do: items, their ends, and credit for them. PROTOCOL.md section 7.1.

use super::super::call::FaultRecord;
use super::super::connection::Connection;
use super::super::error::ProtocolError;
use super::super::event::Event;
use super::super::frame::Frame;
use super::super::items::{ItemsEnd, Room};
use super::super::source::Source;
use super::super::wire::{Kind, MORE, OPENER, u64_at};
use super::super::{Body, Pack};
use super::{malformed, stream_of};

impl Connection {
    /// A whole item that is copied, beside those before it in the same packets.
    pub(super) fn handle_small_item(&mut self, item: &[u8], frame: &Frame) -> Result<(), ProtocolError> {
        if !self.take_in_item(None, item, frame)? {
            return Ok(());
        }
        let id = stream_of(frame);
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

    pub(super) fn handle_item(&mut self, packet: Source<'_>, frame: &Frame) -> Result<(), ProtocolError> {
        let bytes = packet.bytes;
        let total = frame.has(MORE).then(|| u64_at(frame.head(bytes), 0));
        if self.take_in_item(total, frame.body(bytes), frame)? {
            let item = packet.item(frame.body_place());
            self.events.push_back(Event::Item(stream_of(frame), item));
        }
        Ok(())
    }

    /// Counts an item, or the first part of one. True: it is whole, and wanted.
    #[inline]
    fn take_in_item(
        &mut self,
        total: Option<u64>,
        part: &[u8],
        frame: &Frame,
    ) -> Result<bool, ProtocolError> {
        if frame.has(OPENER) {
            self.incoming
                .handle_item(frame.call, total, part, &self.under_way)
        } else {
            let limit = self.agreed.granted.max_body;
            self.outgoing
                .handle_item(frame.call, total, part, limit, &self.under_way)
        }
    }

    pub(super) fn handle_end(&mut self, packet: &[u8], frame: &Frame) -> Result<(), ProtocolError> {
        let (call, body) = (frame.call, frame.body(packet));
        let end = match frame.head(packet)[0] {
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

    pub(super) fn handle_item_credit(&mut self, granted: u64, frame: &Frame) -> Result<(), ProtocolError> {
        let (call, id) = (frame.call, stream_of(frame));
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
}

/// Whether a frame brings a whole item that is copied out of its packet, as most are.
#[inline]
pub(super) fn is_small_item(frame: &Frame) -> bool {
    frame.kind == Kind::Item && !frame.has(MORE) && frame.body_place().len() < Pack::MAX_ITEM
}
