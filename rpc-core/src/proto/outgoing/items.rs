//! The streams of this end's calls: items to the callee, and items as the response.

use super::super::items::{ItemsEnd, ItemsIn, ItemsOut, Opener, Room, StreamId};
use super::super::outbox::Mark;
use super::super::under_way::UnderWay;
use super::{
    Body, CallId, Ending, Outbox, Outgoing, Pack, Progress, ProtocolError, RequestHead, Slot, State,
};

impl Outgoing {
    /// The callee answers by a stream, of at most `most` bytes at once. Whether somebody waits for it.
    pub(in crate::proto) fn handle_stream(&mut self, call: CallId, most: u64) -> Result<bool, ProtocolError> {
        let Some(slot) = self.find(call)? else {
            return Ok(false);
        };
        if slot.oneway || slot.download.is_some() || slot.response.is_some() {
            return Err(ProtocolError::SlotOutOfTurn { call });
        }
        let mut items = ItemsIn::new(RequestHead::limit(slot.buffer, most));
        let waited_for = slot.state == State::Open;
        if !waited_for {
            items.discard();
        }
        slot.download = Some(Box::new(items));
        Ok(waited_for)
    }

    /// Whether the call is being answered by a stream.
    #[inline]
    pub(in crate::proto) fn is_streaming(&mut self, call: CallId) -> bool {
        self.current(call).is_some_and(|slot| slot.download.is_some())
    }

    /// An item, or the first part of one. True: it is whole, and somebody waits for it.
    pub(in crate::proto) fn handle_item(
        &mut self,
        call: CallId,
        total: Option<u64>,
        part: &[u8],
        limit: u64,
        under_way: &UnderWay,
    ) -> Result<bool, ProtocolError> {
        let Some(slot) = self.find(call)? else {
            return Ok(false);
        };
        let items = slot.download.as_mut().ok_or(ProtocolError::NoStream { call })?;
        items.handle_item(call, total, part, limit, under_way)
    }

    /// A further part of an item. The item, if it is whole.
    pub(in crate::proto) fn handle_item_fragment(
        &mut self,
        call: CallId,
        part: &[u8],
        more: bool,
    ) -> Result<Option<Body>, ProtocolError> {
        let items = self.current(call).and_then(|slot| slot.download.as_mut());
        let items = items.ok_or(ProtocolError::NoStream { call })?;
        items.handle_fragment(call, part, more)
    }

    /// The stream that answers the call has ended, and so has the call.
    pub(in crate::proto) fn handle_end(
        &mut self,
        call: CallId,
        end: ItemsEnd,
        outbox: &mut Outbox,
    ) -> Result<Option<Ending>, ProtocolError> {
        let Some(slot) = self.find(call)? else {
            return Ok(None);
        };
        let items = slot.download.as_ref().ok_or(ProtocolError::NoStream { call })?;
        let ending = match end {
            ItemsEnd::Complete if !items.is_between_items() => {
                return Err(ProtocolError::WrongFragments { call });
            }
            ItemsEnd::Complete => Ending::StreamEnded,
            ItemsEnd::Failed(body) => Ending::Failed(body),
            ItemsEnd::Faulted(record) => Ending::Faulted(record),
        };
        self.handle_terminal(call, ending, outbox)
    }

    /// Items of that cost were taken by whoever reads the stream. True: the callee is to be told.
    pub(in crate::proto) fn take_items(&mut self, call: CallId, cost: u64) -> bool {
        let items = self.current(call).and_then(|slot| slot.download.as_mut());
        items.is_some_and(|items| items.take(cost))
    }

    /// The half that receives, if the call has one.
    pub(in crate::proto) fn items_in(&mut self, call: CallId) -> Option<&mut ItemsIn> {
        let slot = self.current(call)?;
        slot.download.as_deref_mut()
    }

    /// The callee granted more of the items that follow the request. `None`: they have ended.
    pub(in crate::proto) fn handle_item_credit(
        &mut self,
        call: CallId,
        granted: u64,
    ) -> Result<Option<Room>, ProtocolError> {
        let Some(slot) = self.find(call)? else {
            return Ok(None);
        };
        Ok(slot.upload.as_mut().map(|items| {
            items.raise(granted);
            items.room()
        }))
    }

    /// Whether an item may follow the request; or the packet that has to leave before.
    pub(in crate::proto) fn room(&mut self, call: CallId, outbox: &Outbox) -> (Room, Option<Mark>) {
        let slot = self.current(call).filter(|slot| slot.state == State::Open);
        let items = slot.and_then(|slot| slot.upload.as_mut());
        items.map_or((Room::Over, None), |items| items.room_to_send(outbox))
    }

    /// Sends an item after the request. False: it is too late for that.
    pub(in crate::proto) fn send_item(&mut self, call: CallId, body: Body, outbox: &mut Outbox) -> bool {
        let upload = self.items_out(call);
        upload.map(|items| items.send(id(call), body, outbox)).is_some()
    }

    /// Sends small items after the request. False: it is too late for that.
    pub(in crate::proto) fn send_items(
        &mut self,
        call: CallId,
        pack: &mut Pack,
        outbox: &mut Outbox,
    ) -> bool {
        let upload = self.items_out(call);
        upload
            .map(|items| items.send_all(id(call), pack, outbox))
            .is_some()
    }

    /// The half that sends, if it may.
    fn items_out(&mut self, call: CallId) -> Option<&mut ItemsOut> {
        let upload = self.current(call)?.upload.as_deref_mut();
        upload.filter(|items| items.room() != Room::Over)
    }

    /// No items follow any more. False: they had ended.
    pub(in crate::proto) fn end_items(&mut self, call: CallId, end: ItemsEnd, outbox: &mut Outbox) -> bool {
        let Some(slot) = self.current(call) else {
            return false;
        };
        let Some(items) = slot.upload.as_mut().filter(|items| items.room() != Room::Over) else {
            return false;
        };
        if items.end(id(call), end, outbox).is_some() {
            slot.upload = None;
        }
        true
    }

    /// A large body of the call has left whole. Whether there may be room for items now.
    pub(in crate::proto) fn on_body_sent(&mut self, call: CallId, outbox: &mut Outbox) -> bool {
        let Some(slot) = self.current(call) else {
            return false;
        };
        if matches!(slot.progress, Progress::Large) {
            slot.progress = Progress::LargeSent;
        }
        let Some(items) = &mut slot.upload else {
            return false;
        };
        if items.on_body_sent(id(call), outbox).is_some() {
            slot.upload = None;
        }
        true
    }

    /// Sends no more items, and takes back the one that is leaving.
    #[inline]
    pub(super) fn break_upload(slot: &mut Slot, call: CallId, outbox: &mut Outbox) {
        let upload: Option<Box<ItemsOut>> = slot.upload.take();
        let is_item = !matches!(slot.progress, Progress::Large);
        if is_item && upload.is_some_and(|items| items.is_behind_body()) {
            outbox.withdraw(call, true);
        }
    }
}

fn id(call: CallId) -> StreamId {
    StreamId {
        opener: Opener::ThisEnd,
        call,
    }
}
