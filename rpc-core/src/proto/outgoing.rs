//! The calls that this end makes. PROTOCOL.md section 7 has the table of states.
//!
//! ```text
//!   Free ──send──▶ Open ──terminal──▶ Free
//!                   │ cancel, deadline
//!                   ▼
//!               Abandoned ──terminal──▶ Free      (withdrawn before anything left: straight to Free)
//! ```
//! Large request bodies that wait are in `waiting`, responses in `responses`, how calls leave their slots in `closing`, and the
//! streams of a call in `items`.

mod closing;
mod items;
mod responses;
mod waiting;

pub(super) use closing::Closed;
pub(super) use responses::ending_of;

use std::collections::VecDeque;
use std::mem::take;
use std::time::Instant;

use super::agreed::Limits;
use super::assembly::Assembly;
use super::call::{CallId, Ending, FaultRecord, RequestHead, code, ran};
use super::error::ProtocolError;
use super::items::{ItemsIn, ItemsOut};
use super::metadata::Metadata;
use super::outbox::{Mark, OutFrame, Outbox};
use super::slots::Slots;
use super::window::Window;
use super::wire::{Kind, OPENER};
use super::{Body, Pack};

#[repr(C)]
pub(super) struct Outgoing {
    open: usize,
    max_body: u64,
    free: FreeSlots,
    slots: Slots<Slot>,
    /// Large bodies that wait for the window to open.
    waiting: VecDeque<(CallId, RequestHead, Metadata, Body)>,
    window: Window,
    /// What each stream of items to the callee begins with, at most.
    stream: u64,
}

/// Slots that were used before, and may be used again.
#[derive(Default)]
#[repr(C)]
struct FreeSlots {
    nested: Vec<u32>,
    plain: Vec<u32>,
}

#[derive(Debug, Default)]
struct Slot {
    generation: u32,
    state: State,
    oneway: bool,
    progress: Progress,
    deadline: Option<Instant>,
    /// The method's own limit for the size of bodies.
    max_body: Option<u64>,
    /// A response in fragments, and whether it is an error. In a box: few calls have one, and each has room for it.
    response: Option<Box<(bool, Assembly)>>,
    /// The most that its streams begin with, as the request said.
    buffer: u16,
    /// Items that follow the request, until their end.
    upload: Option<Box<ItemsOut>>,
    /// The items of a response that is a stream.
    download: Option<Box<ItemsIn>>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum State {
    #[default]
    Free,
    /// Somebody waits for the result.
    Open,
    /// Nobody waits; the slot is the callee's until its terminal frame.
    Abandoned,
}

/// How far the request has come.
#[derive(Clone, Copy, Debug, Default)]
enum Progress {
    /// In a packet of small frames.
    Small(Mark),
    /// A large body that has not left whole.
    #[default]
    Large,
    /// A large body that has left whole.
    LargeSent,
}

/// What became of a call that nobody waits for any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Abandoned {
    /// It had ended already.
    Over,
    /// Nothing of it had left; its slot is free again.
    Withdrawn,
    /// The callee is told; its slot is free when the callee says so.
    Told,
}

impl Outgoing {
    pub(super) fn new(received: Limits) -> Self {
        Self {
            slots: Slots::new(received),
            free: FreeSlots::default(),
            window: Window::new(received.window),
            stream: received.stream,
            waiting: VecDeque::new(),
            max_body: received.max_body,
            open: 0,
        }
    }

    /// Opens a call and queues its request. `None`: no credit is left.
    #[inline]
    pub(super) fn send(
        &mut self,
        head: RequestHead,
        metadata: &mut Metadata,
        body: &mut Body,
        outbox: &mut Outbox,
    ) -> Option<CallId> {
        let nested = head.depth > 0;
        let reused = self.free.of(nested).pop();
        let id = reused.or_else(|| self.slots.fresh(nested))?;
        let slot = self.slots.get(id)?;
        slot.generation = slot.generation.wrapping_add(1);
        slot.max_body = None;
        (slot.state, slot.oneway, slot.deadline) = (State::Open, head.oneway, head.deadline);
        let call = CallId {
            slot: id,
            generation: slot.generation,
        };
        let is_small = outbox.fits(28 + metadata.encoded().len(), body.len());
        slot.buffer = head.buffer;
        if head.upload {
            slot.upload = Some(Box::new(ItemsOut::new(head.credit(self.stream), !is_small)));
        }
        self.open += 1;
        if is_small {
            slot.progress =
                Progress::Small(outbox.push_from(&frame(call, &head, &head.encode(), metadata), body));
            return Some(call);
        }
        slot.progress = Progress::Large;
        self.waiting.push_back((call, head, take(metadata), take(body)));
        self.start_waiting(outbox);
        Some(call)
    }

    /// Nobody waits for the call any more.
    pub(super) fn abandon(&mut self, call: CallId, outbox: &mut Outbox) -> Abandoned {
        let Some(slot) = self.current(call).filter(|slot| slot.state == State::Open) else {
            return Abandoned::Over;
        };
        slot.state = State::Abandoned;
        slot.deadline = None;
        slot.response = None;
        slot.download.iter_mut().for_each(|items| items.discard());
        Self::break_upload(slot, call, outbox);
        if matches!(slot.progress, Progress::Large) && !self.withdraw_body(call, outbox) {
            // The callee never hears of this use of the slot, so the next one has the same number.
            if let Some(slot) = self.current(call) {
                slot.generation = slot.generation.wrapping_sub(1);
                slot.free();
                self.free_slot(call.slot);
            }
            return Abandoned::Withdrawn;
        }
        outbox.push(&control(Kind::Cancel, call), Body::new());
        Abandoned::Told
    }

    /// The open calls whose deadlines have passed.
    pub(super) fn overdue(&self, now: Instant) -> Vec<CallId> {
        let overdue = self.deadlines().filter(|(_, deadline)| *deadline <= now);
        overdue.map(|(call, _)| call).collect()
    }

    pub(super) fn next_deadline(&self) -> Option<Instant> {
        self.deadlines().map(|(_, deadline)| deadline).min()
    }

    /// Whether the whole request has left.
    pub(super) fn has_left(&mut self, call: CallId, outbox: &Outbox) -> bool {
        match self.current(call).map(|slot| slot.progress) {
            Some(Progress::Small(mark)) => outbox.has_left(mark),
            Some(Progress::Large) => false,
            Some(Progress::LargeSent) | None => true,
        }
    }

    /// Whether somebody waits for the call's result.
    pub(super) fn is_waited_for(&mut self, call: CallId) -> bool {
        self.current(call).is_some_and(|slot| slot.state == State::Open)
    }

    /// How many calls have not seen their terminal frame.
    #[inline]
    pub(super) fn open(&self) -> usize {
        self.open
    }

    pub(super) fn max_body(&self) -> u64 {
        self.max_body
    }

    fn deadlines(&self) -> impl Iterator<Item = (CallId, Instant)> {
        self.slots.iter().filter_map(|(id, slot)| {
            let call = CallId {
                slot: id,
                generation: slot.generation,
            };
            slot.deadline
                .filter(|_| slot.state == State::Open)
                .map(|deadline| (call, deadline))
        })
    }

    /// The slot of a call, if that is the slot's current use.
    #[inline]
    fn current(&mut self, call: CallId) -> Option<&mut Slot> {
        self.slots.get_used(call)
    }

    /// The slot that a frame of the callee belongs to; `None`: the call is over, the frame is late.
    #[inline]
    fn find(&mut self, call: CallId) -> Result<Option<&mut Slot>, ProtocolError> {
        let out_of_turn = ProtocolError::SlotOutOfTurn { call };
        let slot = self.current(call).ok_or(out_of_turn)?;
        Ok(Some(slot).filter(|slot| slot.state != State::Free))
    }
}

impl FreeSlots {
    #[inline]
    fn of(&mut self, nested: bool) -> &mut Vec<u32> {
        if nested { &mut self.nested } else { &mut self.plain }
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

fn frame<'a>(call: CallId, head: &RequestHead, bytes: &'a [u8], metadata: &'a Metadata) -> OutFrame<'a> {
    OutFrame {
        kind: Kind::Request,
        flags: head.flags(),
        call,
        head: bytes,
        extensions: metadata.encoded(),
        deadline: head.deadline,
    }
}

/// A frame of the caller without head or body.
fn control(kind: Kind, call: CallId) -> OutFrame<'static> {
    OutFrame {
        kind,
        flags: OPENER,
        call,
        head: &[],
        extensions: &[],
        deadline: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::proto::incoming::{Arriving, Incoming};

    const LIMITS: Limits = Limits {
        max_calls: 1,
        max_nested: 0,
        window: 1,
        max_body: 1,
        stream: 1,
    };

    /// After 2^32 calls in one slot, which take a day.
    #[test]
    fn a_generation_wraps_at_both_ends() {
        let now = Instant::now();
        let head = RequestHead::decode(&[0; 28], 0, &|| now);
        let (mut callers, mut callees) = (Outbox::new(4096, 1), Outbox::new(4096, 1));
        let (mut outgoing, mut incoming) = (Outgoing::new(LIMITS), Incoming::new(LIMITS));
        let slot = outgoing.slots.fresh(false).unwrap();
        outgoing.free.of(false).push(slot);
        outgoing.slots.get(slot).unwrap().generation = u32::MAX - 1;
        incoming.start_generations_at(u32::MAX - 1);
        for generation in [u32::MAX, 0, 1] {
            let call = outgoing
                .send(head, &mut Metadata::new(), &mut Body::new(), &mut callers)
                .unwrap();
            assert_eq!(call, CallId { slot: 0, generation });
            let arriving = Arriving {
                call,
                head: &head,
                metadata: &Metadata::new(),
                total: None,
                part: &[],
            };
            assert_eq!(incoming.handle_request(arriving, None, &mut callees), Ok(true));
            assert!(incoming.answer(call, super::super::Answer::Succeeded(Body::new()), &mut callees));
            callees.take(|| now).unwrap();
            let closed = outgoing.close_answered(call, 0, &mut callers);
            assert!(matches!(closed, Ok(Closed::WaitedFor { .. })));
        }
    }
}
