//! The calls that were sent and are waited for.

use std::mem;
use std::task::Waker;

use slab::Slab;

use crate::fault::Fault;
use crate::message::Response;
use crate::proto::{Body, CallId, Limits, Metadata, Slots};

/// A call that was sent and is waited for: its place among the waiting.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ticket {
    pub(super) call: CallId,
    key: usize,
}

/// The calls that somebody waits for, and the results that nobody has taken yet. A slot may have its next call before
/// the result of the last one was taken, so they have places of their own.
pub(super) struct WaitingCalls {
    calls: Slab<Waiting>,
    /// Which place the call in a slot has.
    keys: Slots<usize>,
}

struct Waiting {
    call: CallId,
    /// What came beside the result.
    metadata: Metadata,
    state: WaitState,
}

/// What became of a call so far.
pub(super) enum WaitState {
    Open(Option<Waker>),
    /// The system has the request of a oneway call, and that is all its caller waits for.
    Flushed,
    /// It is answered by a stream, which nobody has taken yet.
    Streaming,
    Ended(Result<Response, Fault>),
}

/// What somebody has waited for.
pub(super) enum Waited {
    Result(Result<Response, Fault>),
    /// Only that the system has the request.
    Flushed,
    /// A stream, and what came with its opening.
    Stream(Metadata),
}

impl Waiting {
    /// Whom to wake.
    #[inline]
    fn change(&mut self, state: WaitState) -> Option<Waker> {
        match mem::replace(&mut self.state, state) {
            WaitState::Open(waker) => waker,
            WaitState::Flushed | WaitState::Streaming | WaitState::Ended(_) => None,
        }
    }
}

impl WaitingCalls {
    pub(super) fn new(received: Limits) -> Self {
        Self {
            calls: Slab::new(),
            keys: Slots::new(received),
        }
    }

    /// `waker`, if there is one, is woken when the result is there.
    #[inline]
    pub(super) fn enter(&mut self, call: CallId, waker: Option<Waker>) -> Ticket {
        if self.calls.capacity() == 0 {
            // Most connections never have a second call open.
            self.calls.reserve_exact(1);
        }
        let key = self.calls.insert(Waiting {
            call,
            metadata: Metadata::new(),
            state: WaitState::Open(waker),
        });
        if let Some(place) = self.keys.entry(call.slot) {
            *place = key;
        }
        Ticket { call, key }
    }

    /// The call has ended. Whom to wake.
    #[inline]
    pub(super) fn end(&mut self, call: CallId, mut result: Result<Response, Fault>) -> Option<Waker> {
        let waiting = self.waiting(call)?;
        if let Ok(response) = &mut result
            && !waiting.metadata.is_empty()
        {
            *response.metadata_mut() = mem::take(&mut waiting.metadata);
        }
        if let WaitState::Flushed = waiting.state {
            // Its caller waits for no more, and is told of nothing that came after it.
            result = Ok(Response::ok(Body::new()));
        }
        waiting.change(WaitState::Ended(result))
    }

    /// The call is answered by a stream. Whom to wake.
    pub(super) fn start_stream(&mut self, call: CallId) -> Option<Waker> {
        self.waiting(call)?.change(WaitState::Streaming)
    }

    /// The system has the request of a oneway call.
    pub(super) fn on_flushed(&mut self, call: CallId) {
        if let Some(waiting) = self.waiting(call)
            && let WaitState::Open(_) = waiting.state
        {
            waiting.state = WaitState::Flushed;
        }
    }

    /// What comes beside the result, which comes next.
    pub(super) fn set_metadata(&mut self, call: CallId, metadata: Metadata) {
        if let Some(waiting) = self.waiting(call) {
            waiting.metadata = metadata;
        }
    }

    #[inline]
    fn waiting(&mut self, call: CallId) -> Option<&mut Waiting> {
        let key = *self.keys.get(call.slot)?;
        self.calls.get_mut(key).filter(|waiting| waiting.call == call)
    }

    /// Whether the call takes credit for nested calls.
    #[inline]
    pub(super) fn is_nested(&self, call: CallId) -> bool {
        self.keys.is_nested(call.slot)
    }

    /// Ends every call that is open. Whom to wake.
    pub(super) fn end_all(&mut self, mut fault: impl FnMut(CallId) -> Fault) -> Vec<Waker> {
        let mut wake = Vec::new();
        for (_, waiting) in &mut self.calls {
            if let WaitState::Open(waker) = &mut waiting.state {
                wake.extend(waker.take());
                waiting.state = WaitState::Ended(Err(fault(waiting.call)));
            }
        }
        wake
    }

    /// Whether somebody waits for a call.
    pub(super) fn is_empty(&self) -> bool {
        self.calls.is_empty()
    }

    /// Takes the result, if it is there.
    #[inline]
    pub(super) fn take_result(&mut self, ticket: Ticket) -> Option<Waited> {
        if let WaitState::Open(_) = self.calls[ticket.key].state {
            return None;
        }
        let Waiting { metadata, state, .. } = self.calls.remove(ticket.key);
        match state {
            WaitState::Ended(result) => Some(Waited::Result(result)),
            WaitState::Flushed => Some(Waited::Flushed),
            WaitState::Streaming => Some(Waited::Stream(metadata)),
            WaitState::Open(_) => None,
        }
    }

    /// Whom to wake when the result is there.
    #[inline]
    pub(super) fn set_waker(&mut self, ticket: Ticket, waker: &Waker) {
        if let WaitState::Open(waiting) = &mut self.calls[ticket.key].state
            && !waiting.as_ref().is_some_and(|waiting| waiting.will_wake(waker))
        {
            *waiting = Some(waker.clone());
        }
    }

    /// Nobody waits for it any more. What became of it so far.
    pub(super) fn remove(&mut self, ticket: Ticket) -> WaitState {
        self.calls.remove(ticket.key).state
    }
}
