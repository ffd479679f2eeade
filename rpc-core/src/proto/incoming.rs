//! The calls that the peer makes. PROTOCOL.md section 7 has the table of states.
//!
//! ```text
//!   Closed ──request──▶ (Receiving ──last fragment──▶) Running ──answer──▶ Answered ──its packet leaves──▶ Closed
//!                           │ cancel, deadline          │ cancel, deadline     (a large answer: Answering first)
//!                           ▼                           ▼
//!                        Answered                  interrupted, then Answered when the handler has ended
//! ```
//! Requests as they arrive are in `arriving`, what calls are answered in `answers`, what ends them early in `interrupts`, and their
//! streams in `items`.

mod answers;
mod arriving;
mod interrupts;
mod items;

use std::time::Instant;

use super::agreed::Limits;
use super::body_limits::{BodyLimit, MethodLimits};
use super::call::{CallId, FaultRecord, IncomingCall, RequestHead, code, ran};
use super::error::ProtocolError;
use super::items::{ItemsIn, ItemsOut};
use super::metadata::Metadata;
use super::outbox::{Mark, OutFrame, Outbox};
use super::slots::Slots;
use super::window::Window;
use super::wire::Kind;
use super::{Answer, Body, Pack};

use arriving::Receiving;
pub(super) use arriving::{Arriving, Whole};
use interrupts::Interrupt;

#[repr(C)]
pub(super) struct Incoming {
    slots: Slots<Slot>,
    limits: Limits,
    method_limits: MethodLimits,
    window: Window,
    open: usize,
}

#[derive(Debug, Default)]
struct Slot {
    generation: u32,
    state: State,
    /// The request's body had not come whole when the call ended: the rest of it is late, not wrong.
    body_open: bool,
    /// What the body was charged and has not been given back.
    charge: u64,
    /// The method's own limit for the size of bodies.
    max_body: Option<u64>,
    deadline: Option<Instant>,
    /// The most that its streams begin with, as the request said.
    buffer: u16,
    /// Items that follow the request. What comes of them after the call has ended is late, not wrong.
    upload: Option<Box<ItemsIn>>,
    /// What is to travel beside the result.
    metadata: Metadata,
}

#[derive(Debug, Default)]
enum State {
    #[default]
    Closed,
    /// The request's body is arriving.
    Receiving(Box<Receiving>),
    /// The request is with the handler.
    Running {
        oneway: bool,
        begun: bool,
        interrupted: Option<Interrupt>,
        /// The response is a stream.
        items: Option<Box<ItemsOut>>,
    },
    /// The response is leaving in fragments; or the last item, and the stream's end is to follow.
    Answering(Option<Box<ItemsOut>>),
    /// The terminal frame leaves with that packet.
    Answered(Mark),
}

impl Incoming {
    pub(super) fn new(granted: Limits) -> Self {
        Self {
            slots: Slots::new(granted),
            limits: granted,
            method_limits: MethodLimits::default(),
            window: Window::new(granted.window),
            open: 0,
        }
    }

    /// Some methods have limits of their own.
    pub(super) fn set_method_limits(&mut self, limits: MethodLimits) {
        self.method_limits = limits;
    }

    /// What is to travel beside the result of a running call. `None`: it is too late for that.
    pub(super) fn metadata_mut(&mut self, call: CallId) -> Option<&mut Metadata> {
        let slot = self.current(call)?;
        let State::Running { items: None, .. } = slot.state else {
            return None;
        };
        Some(&mut slot.metadata)
    }

    /// Whether the call's handler has begun.
    pub(super) fn has_begun(&mut self, call: CallId) -> bool {
        let state = self.current(call).map(|slot| &slot.state);
        matches!(state, Some(State::Running { begun: true, .. }))
    }

    /// Whether the call's body is still arriving.
    pub(super) fn is_receiving(&mut self, call: CallId) -> bool {
        let state = self.current(call).map(|slot| &slot.state);
        matches!(state, Some(State::Receiving(_)))
    }

    /// The handler begins: its body is no longer waiting, and its credit goes back.
    pub(super) fn begin(&mut self, call: CallId) {
        let Some(slot) = self.current(call) else { return };
        if let State::Running { begun, .. } = &mut slot.state {
            *begun = true;
        }
        let charge = std::mem::take(&mut slot.charge);
        self.window.give_back(charge);
    }

    /// Whether the call is with its handler and nobody has interrupted it.
    pub(super) fn is_running(&mut self, call: CallId) -> bool {
        let state = self.current(call).map(|slot| &slot.state);
        matches!(
            state,
            Some(State::Running {
                interrupted: None,
                ..
            })
        )
    }

    /// The limit for bodies of the call: its method's, or else `of_end`.
    pub(super) fn limit(&mut self, call: CallId, of_end: u64) -> BodyLimit {
        BodyLimit::of(self.current(call).and_then(|slot| slot.max_body), of_end)
    }

    /// How many calls have begun and have no terminal frame yet.
    pub(super) fn open(&self) -> usize {
        self.open
    }

    /// How many bytes of large request bodies were granted in all.
    pub(super) fn granted(&self) -> u64 {
        self.window.granted()
    }

    /// As if the first slot had been used that often.
    #[cfg(test)]
    pub(super) fn start_generations_at(&mut self, generation: u32) {
        if let Some(slot) = self.slots.entry(0) {
            slot.generation = generation;
        }
    }

    /// Opens a call: the limit for the size of its body.
    #[inline]
    fn open_slot(&mut self, call: CallId, head: &RequestHead, outbox: &Outbox) -> Result<u64, ProtocolError> {
        let granted = self.limits.max_calls.saturating_add(self.limits.max_nested);
        let nested = self.slots.is_nested(call.slot);
        let overrun = ProtocolError::CallCreditOverrun {
            slot: call.slot,
            granted,
        };
        let slot = self.slots.entry(call.slot).ok_or(overrun)?;
        let over = match slot.state {
            State::Closed => true,
            State::Answered(mark) => outbox.has_left(mark),
            _ => false,
        };
        if !over || call.generation != slot.generation.wrapping_add(1) || nested != (head.depth > 0) {
            return Err(ProtocolError::SlotOutOfTurn { call });
        }
        let max_body = self.method_limits.of(head);
        *slot = Slot {
            generation: call.generation,
            state: State::Running {
                oneway: head.oneway,
                begun: false,
                interrupted: None,
                items: None,
            },
            deadline: head.deadline,
            max_body,
            buffer: head.buffer,
            upload: (head.upload).then(|| Box::new(ItemsIn::new(head.credit(self.limits.stream)))),
            ..Slot::default()
        };
        self.open += 1;
        Ok(max_body.unwrap_or(self.limits.max_body))
    }

    fn close(&mut self, call: CallId, state: State) {
        if let Some(slot) = self.slots.get_used(call) {
            slot.close(state, &mut self.window, &mut self.open);
        }
    }

    fn set_body_open(&mut self, call: CallId, open: bool) {
        if let Some(slot) = self.current(call) {
            slot.body_open = open;
        }
    }

    fn current(&mut self, call: CallId) -> Option<&mut Slot> {
        self.slots.get_used(call)
    }
}

impl Slots<Slot> {
    /// The slot of a call that is the last to have used it.
    #[inline]
    fn get_used(&mut self, call: CallId) -> Option<&mut Slot> {
        self.get(call.slot)
            .filter(|slot| slot.generation == call.generation)
    }
}

impl Slot {
    /// The call has its answer; what its body was charged goes back.
    #[inline]
    fn close(&mut self, state: State, window: &mut Window, open: &mut usize) {
        let was_open = !matches!(self.state, State::Answering(_));
        (self.state, self.deadline) = (state, None);
        self.upload.iter_mut().for_each(|items| items.discard());
        window.give_back(std::mem::take(&mut self.charge));
        *open -= usize::from(was_open);
    }
}

fn frame(kind: Kind, call: CallId, head: &[u8]) -> OutFrame<'_> {
    OutFrame {
        kind,
        flags: 0,
        call,
        head,
        extensions: &[],
        deadline: None,
    }
}
