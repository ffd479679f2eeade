//! What readers and senders of streams do to the connection they share.

use std::collections::VecDeque;
use std::sync::Arc;
use std::task::{Poll, Waker};

use super::pump::Pumped;
use super::shared::Shared;
use super::state::{State, no_streams};
use super::streams::{Came, Found, Outlet};
use super::upload::UploadTask;
use super::{Ambient, faults::record_of};
use crate::fault::{Fault, Outcome, Reason};
use crate::message::Response;
use crate::proto::{Answer, CallId, ItemsEnd, Opener, Room, StreamId};
use crate::streaming::{Batch, ItemError, Items};

impl Shared {
    /// Answers a running call by a stream, whose items follow. False: the call is to end.
    ///
    /// # Errors
    /// If its caller takes no streams.
    pub(super) fn open_stream(&self, call: CallId, response: &Response) -> Result<bool, Fault> {
        let mut state = self.lock();
        if !state.proto.takes_streams() {
            return Err(no_streams(Outcome::Ran));
        }
        state.take_metadata(call, response);
        Ok(state.proto.open_stream(call))
    }

    /// Whether an item may be sent; `waker` is woken when that changes.
    pub(super) fn poll_item_room(&self, outlet: Outlet, waker: &Waker) -> Poll<Room> {
        let mut state = self.lock();
        if state.end.is_some() || !state.streams.is_open(outlet) {
            return Poll::Ready(Room::Over);
        }
        let room = state.proto.room(outlet.id);
        if matches!(room, Room::Open(_) | Room::Full) {
            state.streams.wait_for_room(outlet.id, waker);
        }
        match room {
            Room::Full => {
                // What was sent before may not have left yet.
                self.flush_or_gather(state);
                Poll::Pending
            }
            room => Poll::Ready(room),
        }
    }

    /// Sends items, and what was queued before them.
    pub(super) fn send_items(&self, outlet: Outlet, batch: &mut Batch) {
        let mut state = self.lock();
        if !state.streams.is_open(outlet) {
            drop(state);
            return batch.clear();
        }
        state.proto.send_items(outlet.id, &mut batch.small);
        if let Some(item) = batch.last.take() {
            state.proto.send_item(outlet.id, item);
        }
        if state.proto.has_output() {
            self.flush_or_gather(state);
        }
    }

    /// The largest item that the other end takes, in bytes.
    pub(super) fn max_item(&self) -> u64 {
        self.lock().proto.max_body()
    }

    /// The terminal frame of a call that was answered by a stream.
    pub(super) fn end_stream(&self, call: CallId, end: Pumped) {
        let answer = match end {
            Pumped::Ended(Ok(())) => Answer::StreamEnded,
            Pumped::Ended(Err(ItemError::Failed(error))) => Answer::Failed(error),
            Pumped::Ended(Err(ItemError::Fault(fault))) => Answer::Faulted(record_of(&fault)),
            Pumped::Unwanted => return self.answer_interrupted(call),
        };
        self.answer_by(call, |state| state.proto.answer(call, answer));
    }

    /// Sends the items that follow a request, in a task of their own.
    pub(super) fn start_upload(self: &Arc<Self>, outlet: Outlet, items: Items) {
        let task = UploadTask::new(self, outlet, items, Ambient::current());
        self.runtime.spawn(task);
    }

    /// No items follow the request any more.
    pub(super) fn end_upload(&self, outlet: Outlet, end: ItemsEnd) {
        let mut state = self.lock();
        if !state.streams.is_open(outlet) {
            return;
        }
        let waiting = state.streams.end_sender(outlet.id);
        if state.end.is_none() && state.proto.end_upload(outlet.id.call, end) {
            self.flush_or_gather(state);
        } else {
            drop(state);
        }
        drop(waiting);
    }

    /// Tells the sender what was read, and moves what came to `items` if that is empty.
    pub(super) fn take_items(
        &self,
        id: StreamId,
        read: u64,
        items: &mut VecDeque<Came>,
        waker: &Waker,
    ) -> Found {
        let mut state = self.lock();
        if read > 0 && state.end.is_none() {
            state.proto.take_items(id, read);
        }
        let found = if items.is_empty() {
            state.streams.take(id, items, waker)
        } else {
            Found::Items
        };
        if matches!(found, Found::End(_)) {
            state.notify_if_leaving();
        }
        if state.end.is_none() && state.proto.has_output() {
            self.flush_or_gather(state);
        }
        found
    }

    /// Nobody has read the items of a call of the peer's, or will.
    pub(super) fn close_upload(&self, call: CallId) {
        let opener = Opener::Peer;
        let unread = self.lock().streams.close(StreamId { opener, call });
        drop(unread);
    }

    /// Nobody reads a stream any more: that of a response ends its call, that of a request only itself.
    pub(super) fn stop_reading(&self, id: StreamId) {
        let mut state = self.lock();
        let unread = state.streams.close(id);
        if state.end.is_none() {
            match id.opener {
                Opener::ThisEnd => return self.cancel(state, id.call),
                Opener::Peer => state.proto.stop_items(id.call),
            }
            if state.proto.has_output() {
                self.flush_or_gather(state);
            } else {
                drop(state);
            }
        } else {
            drop(state);
        }
        // The items may be memory whose owner does something when it is dropped; not under the lock.
        drop(unread);
    }
}

impl State {
    /// The call of the peer's has its answer: whoever still reads its stream reads no further, and nobody waits for it.
    /// Adds whom to wake.
    #[inline]
    pub(super) fn end_call_of_peer(&mut self, call: CallId, wake: &mut Vec<Waker>) {
        if !self.cancels.is_empty() || !self.streams.is_empty() {
            self.tell_end_of_call(call, wake);
        }
    }

    fn tell_end_of_call(&mut self, call: CallId, wake: &mut Vec<Waker>) {
        wake.extend(self.cancels.take(call));
        wake.extend(self.end_upload_of_peer(call));
    }

    /// Whoever still reads the items of a call of the peer's reads no further. Whom to wake.
    #[inline]
    pub(super) fn end_upload_of_peer(&mut self, call: CallId) -> Option<Waker> {
        let id = StreamId {
            opener: Opener::Peer,
            call,
        };
        let sender = self.streams.sender(id);
        drop(sender);
        if !self.streams.has_reader(id) {
            return None;
        }
        let fault = Fault::new(Outcome::MayHaveRun, Reason::Cancelled)
            .with_detail("the call that the stream belongs to has ended");
        self.streams.end(id, Err(ItemError::Fault(fault)))
    }
}
