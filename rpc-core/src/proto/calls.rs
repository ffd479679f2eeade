//! How calls of either end are made, taken back and answered.

use super::body_limits::BodyLimit;
use super::call::{CallId, RequestHead};
use super::connection::Connection;
use super::event::{Answer, Event};
use super::outgoing::Abandoned;
use super::{Body, Metadata};

impl Connection {
    /// Opens a call and queues its request. `None`: no credit is left. The body is within the method's own limit, or
    /// else within [`Self::max_body`].
    pub fn send_request(&mut self, head: RequestHead, body: Body) -> Option<CallId> {
        self.send_request_with(head, Metadata::new(), body)
    }

    /// The same with metadata beside the body.
    pub fn send_request_with(
        &mut self,
        head: RequestHead,
        mut metadata: Metadata,
        mut body: Body,
    ) -> Option<CallId> {
        self.send_request_from(head, &mut metadata, &mut body)
    }

    /// The same. Metadata and body are taken if they are not copied, so that nothing of the caller's is dropped here.
    #[inline]
    pub(crate) fn send_request_from(
        &mut self,
        head: RequestHead,
        metadata: &mut Metadata,
        body: &mut Body,
    ) -> Option<CallId> {
        self.outgoing.send(head, metadata, body, &mut self.outbox)
    }

    /// What is to travel beside the result of a running call of the peer's. `None`: it is too late for that.
    pub fn metadata_mut(&mut self, call: CallId) -> Option<&mut Metadata> {
        self.incoming.metadata_mut(call)
    }

    /// Whether the handler of a call of the peer's has begun.
    pub fn has_begun(&mut self, call: CallId) -> bool {
        self.incoming.has_begun(call)
    }

    /// The call's method has a limit of its own for the size of its response, in bytes.
    pub fn limit_response(&mut self, call: CallId, max_body: u64) {
        self.outgoing.limit_response(call, max_body);
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

    /// The same with an answer that is made for the limit that its body has.
    #[inline]
    pub fn answer_by(&mut self, call: CallId, answer: impl FnOnce(BodyLimit) -> Answer) -> bool {
        let of_end = self.outgoing.max_body();
        let answer = |of_method| answer(BodyLimit::of(of_method, of_end));
        self.incoming.answer_by(call, answer, &mut self.outbox)
    }

    /// Answers a call of the peer's whose handler was dropped before it ended.
    pub fn answer_interrupted(&mut self, call: CallId) {
        let answer = self.incoming.interrupted_answer(call);
        self.answer(call, answer);
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
    #[inline]
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

    /// The limit for the response to a call of the peer's.
    pub fn response_limit(&mut self, call: CallId) -> BodyLimit {
        self.incoming.limit(call, self.outgoing.max_body())
    }
}
