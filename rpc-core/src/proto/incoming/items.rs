//! The streams of the peer's calls: items that follow the request, and items as the response.

use super::super::items::{ItemsEnd, ItemsIn, ItemsOut, Opener, Room, StreamId, push_credit};
use super::super::outbox::Mark;
use super::super::under_way::UnderWay;
use super::super::wire::STREAM;
use super::{
    Answer, Body, CallId, Incoming, Interrupt, Kind, OutFrame, Outbox, Pack, ProtocolError, RequestHead,
    State, frame,
};

impl Incoming {
    /// Answers a running call by a stream, where the caller takes `most` bytes at once. False: the call is to end, or
    /// nobody waits for its result.
    pub(in crate::proto) fn open_stream(&mut self, call: CallId, most: u64, outbox: &mut Outbox) -> bool {
        let Some(slot) = self.current(call) else {
            return false;
        };
        let State::Running {
            oneway: false,
            interrupted: None,
            items: items @ None,
            ..
        } = &mut slot.state
        else {
            return false;
        };
        let credit = RequestHead::limit(slot.buffer, most);
        *items = Some(Box::new(ItemsOut::new(credit, false)));
        let metadata = std::mem::take(&mut slot.metadata);
        let response = OutFrame {
            flags: STREAM,
            extensions: metadata.encoded(),
            ..frame(Kind::Response, call, &[0; 4])
        };
        outbox.push(&response, Body::new());
        true
    }

    /// Whether an item of the response may be sent; or the packet that has to leave before.
    pub(in crate::proto) fn room(&mut self, call: CallId, outbox: &Outbox) -> (Room, Option<Mark>) {
        let items = self.items_out(call);
        items.map_or((Room::Over, None), |items| items.room_to_send(outbox))
    }

    /// Sends an item of the response. False: it is too late for that.
    pub(in crate::proto) fn send_item(&mut self, call: CallId, body: Body, outbox: &mut Outbox) -> bool {
        let items = self.items_out(call);
        items.map(|items| items.send(id(call), body, outbox)).is_some()
    }

    /// Sends small items of the response. False: it is too late for that.
    pub(in crate::proto) fn send_items(
        &mut self,
        call: CallId,
        pack: &mut Pack,
        outbox: &mut Outbox,
    ) -> bool {
        let items = self.items_out(call);
        items
            .map(|items| items.send_all(id(call), pack, outbox))
            .is_some()
    }

    /// The half that sends, if it may.
    fn items_out(&mut self, call: CallId) -> Option<&mut ItemsOut> {
        match &mut self.current(call)?.state {
            State::Running {
                items: Some(items),
                interrupted: None,
                ..
            } => Some(items),
            _ => None,
        }
    }

    /// The terminal frame of a call that is being answered by a stream.
    pub(super) fn end_stream(&mut self, call: CallId, answer: Answer, outbox: &mut Outbox) {
        let Some(State::Running {
            interrupted, items, ..
        }) = self.current(call).map(|slot| &mut slot.state)
        else {
            return;
        };
        let end = match (*interrupted, answer) {
            (Some(Interrupt::Cancelled), _) | (_, Answer::Nothing) => {
                outbox.withdraw(call, false);
                return self.done(call, outbox);
            }
            (_, Answer::Refused(record) | Answer::Faulted(record)) => ItemsEnd::Faulted(record),
            (_, Answer::Failed(error)) => ItemsEnd::Failed(error),
            (_, Answer::Succeeded(_) | Answer::StreamEnded) => ItemsEnd::Complete,
        };
        let mut items: Option<Box<ItemsOut>> = items.take();
        let mark = items.as_mut().and_then(|items| items.end(id(call), end, outbox));
        let state = match mark {
            Some(mark) => State::Answered(mark),
            None => State::Answering(items),
        };
        self.close(call, state);
    }

    /// The last fragment of a large response, or item of one, has left. Whether there may be room for items now.
    pub(in crate::proto) fn on_body_sent(&mut self, call: CallId, outbox: &mut Outbox) -> bool {
        let Some(slot) = self.current(call) else {
            return false;
        };
        match &mut slot.state {
            State::Answering(None) => slot.state = State::Closed,
            State::Answering(Some(items)) => {
                let mark = items.on_body_sent(id(call), outbox);
                slot.state = mark.map_or(State::Closed, State::Answered);
            }
            State::Running {
                items: Some(items), ..
            } => {
                items.on_body_sent(id(call), outbox);
                return true;
            }
            _ => {}
        }
        false
    }

    /// The caller granted more of the items of the response. What it grants that came late changes nothing.
    pub(in crate::proto) fn handle_item_credit(
        &mut self,
        call: CallId,
        granted: u64,
    ) -> Result<bool, ProtocolError> {
        let slot = self.current(call).ok_or(ProtocolError::SlotOutOfTurn { call })?;
        let State::Running {
            items: Some(items), ..
        } = &mut slot.state
        else {
            return Ok(false);
        };
        items.raise(granted);
        Ok(true)
    }

    /// An item behind the request, or the first part of one. True: it is whole, and the call is open.
    pub(in crate::proto) fn handle_item(
        &mut self,
        call: CallId,
        total: Option<u64>,
        part: &[u8],
        under_way: &UnderWay,
    ) -> Result<bool, ProtocolError> {
        let limit = self.limits.max_body;
        let slot = self.current(call).ok_or(ProtocolError::SlotOutOfTurn { call })?;
        if slot.body_open || matches!(slot.state, State::Receiving(_)) {
            return Err(ProtocolError::WrongFragments { call });
        }
        let items = slot.upload.as_mut().ok_or(ProtocolError::NoStream { call })?;
        items.handle_item(call, total, part, limit, under_way)
    }

    /// No more items follow the request. Whether somebody waits for them.
    pub(in crate::proto) fn handle_end(
        &mut self,
        call: CallId,
        complete: bool,
    ) -> Result<bool, ProtocolError> {
        let slot = self.current(call).ok_or(ProtocolError::SlotOutOfTurn { call })?;
        let between_requests = slot.body_open || matches!(slot.state, State::Receiving(_));
        let items = slot.upload.take().ok_or(ProtocolError::NoStream { call })?;
        if between_requests || (complete && !items.is_between_items()) {
            return Err(ProtocolError::WrongFragments { call });
        }
        Ok(items.is_wanted())
    }

    /// Items of that cost were taken by whoever reads them. True: the caller is to be told.
    pub(in crate::proto) fn take_items(&mut self, call: CallId, cost: u64) -> bool {
        let items = self.current(call).and_then(|slot| slot.upload.as_mut());
        items.is_some_and(|items| items.take(cost))
    }

    /// The half that receives, if the call has one.
    pub(in crate::proto) fn items_in(&mut self, call: CallId) -> Option<&mut ItemsIn> {
        let slot = self.current(call)?;
        slot.upload.as_deref_mut()
    }

    /// Nobody reads the items that follow the request, though the call goes on.
    pub(in crate::proto) fn stop_items(&mut self, call: CallId, outbox: &mut Outbox) {
        let Some(slot) = self.current(call) else { return };
        let items = slot.upload.as_mut().filter(|items| items.is_wanted());
        let Some(items) = items else { return };
        items.discard();
        push_credit(id(call), u64::MAX, outbox);
    }
}

fn id(call: CallId) -> StreamId {
    StreamId {
        opener: Opener::Peer,
        call,
    }
}
