//! What comes of received packets, and how calls are answered.

use std::collections::VecDeque;
use std::time::Instant;

use super::Body;
use super::Metadata;
use super::Pack;
use super::call::{CallId, Ending, FaultRecord, IncomingCall, RequestHead};
use super::items::{ItemsEnd, StreamId};

/// What the peer did that somebody has to know.
#[derive(Debug)]
pub enum Event {
    /// A call of the peer's is to run.
    Incoming(IncomingCall),
    /// [`handle_timeout`](super::Connection::handle_timeout) is to be called then: a body is arriving that is not waited for
    /// after this, or whose memory is kept until then.
    Timeout(Instant),
    /// A running call of the peer's is to end: it was cancelled, or its deadline passed.
    Interrupted(CallId),
    /// The first part of a call of the peer's has come, the rest is on its way.
    Announced(CallId, RequestHead),
    /// A call that was announced has ended before it was whole.
    Withdrawn(CallId),
    /// What travels beside the result of a call of this end's, which comes next.
    Metadata(CallId, Metadata),
    /// A call of this end's is being answered by a stream of items.
    Streaming(CallId),
    /// Small items of a stream came.
    Items(StreamId, Pack),
    /// An item came that is not small.
    Item(StreamId, Body),
    /// The caller has sent the last item of a call of its.
    UploadEnded(CallId, ItemsEnd),
    /// There may be room for items again.
    Room(StreamId),
    /// The callee wants no more items of a call of this end's.
    UploadStopped(CallId),
    /// A call of this end's ended, and somebody waits for it.
    Ended {
        /// Which call.
        call: CallId,
        /// How.
        ending: Ending,
        /// It has left its slot, as with [`Freed`](Self::Freed).
        is_free: bool,
    },
    /// One of this end's calls has left its slot: there is credit for another of its kind.
    Freed(CallId),
    /// An answer to a ping.
    Pong(u64),
    /// The peer takes no new calls of depth 0.
    Goaway(Goaway),
    /// The peer has said all it had to say. It has been acknowledged.
    Farewell,
    /// The peer has everything that was sent before the farewell.
    FarewellAcked,
}

/// Takes the events that most calls have without the queue, which would be some 150 instructions of a call at either end.
/// They are queued nevertheless while others are queued before them.
pub trait EventSink {
    /// [`Event::Incoming`].
    fn on_incoming(&mut self, call: IncomingCall);
    /// [`Event::Ended`] of a call that has succeeded and left its slot.
    fn on_succeeded(&mut self, call: CallId, body: Body);
}

impl EventSink for VecDeque<Event> {
    fn on_incoming(&mut self, call: IncomingCall) {
        self.push_back(Event::Incoming(call));
    }

    fn on_succeeded(&mut self, call: CallId, body: Body) {
        self.push_back(Event::Ended {
            call,
            ending: Ending::Succeeded(body),
            is_free: true,
        });
    }
}

/// Why the peer takes no new calls.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Goaway {
    /// True: it found fault with the protocol and closes at once.
    pub is_protocol_error: bool,
    /// A text for people.
    pub text: String,
}

/// How a call of the peer's is answered.
#[derive(Debug)]
pub enum Answer {
    /// The method returned a value, or `Ok`.
    Succeeded(Body),
    /// The method returned `Err`, or its stream ended with one.
    Failed(Body),
    /// Its stream is complete.
    StreamEnded,
    /// It began and ended without a result.
    Faulted(FaultRecord),
    /// It was refused before it ran.
    Refused(FaultRecord),
    /// It is over and there is nothing to say.
    Nothing,
}
