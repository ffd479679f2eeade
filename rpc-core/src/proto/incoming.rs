//! The calls that the peer makes. PROTOCOL.md section 7 has the table of states.
//!
//! ```text
//!   Closed ──request──▶ (Receiving ──last fragment──▶) Running ──answer──▶ Answered ──its packet leaves──▶ Closed
//!                           │ cancel, deadline          │ cancel, deadline     (a large answer: Answering first)
//!                           ▼                           ▼
//!                        Answered                  interrupted, then Answered when the handler has ended
//! ```
//! The streams of a call are in `items`.

mod items;

use std::time::Instant;

use super::agreed::Limits;
use super::assembly::Assembly;
use super::body_limits::{BodyLimit, MethodLimits};
use super::call::{CallId, FaultRecord, IncomingCall, RequestHead, code, ran};
use super::error::ProtocolError;
use super::items::{ItemsIn, ItemsOut};
use super::metadata::Metadata;
use super::outbox::{Mark, OutFrame, Outbox, Withdrawn};
use super::slots::Slots;
use super::window::Window;
use super::wire::Kind;
use super::{Answer, Body, Pack};

/// What the callers of calls are told that a drain deadline cut.
const DRAIN_DEADLINE_PASSED: &str = "the other end had to leave: its drain deadline passed";

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

#[derive(Debug)]
struct Receiving {
    head: RequestHead,
    metadata: Metadata,
    body: Assembly,
}

/// Why a running call is to end without its result.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Interrupt {
    /// The caller cancelled it.
    Cancelled,
    /// Its deadline passed.
    DeadlinePassed,
}

/// What a body was that is whole now.
pub(super) enum Whole {
    Call(IncomingCall),
    Item(Body),
}

/// What the first frame of a request brings.
pub(super) struct Arriving<'a> {
    pub(super) call: CallId,
    pub(super) head: RequestHead,
    pub(super) metadata: &'a Metadata,
    /// The size of the whole body, if it goes on in fragments.
    pub(super) total: Option<u64>,
    /// What comes of the body with it.
    pub(super) part: &'a [u8],
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

    /// Opens the call that a request begins. True: the whole body is there, the call may run.
    pub(super) fn handle_request(
        &mut self,
        arriving: Arriving<'_>,
        refusal: Option<u16>,
        outbox: &mut Outbox,
    ) -> Result<bool, ProtocolError> {
        let Arriving {
            call,
            head,
            metadata,
            total,
            part,
        } = arriving;
        self.open_slot(call, &head, outbox)?;
        if let Some(total) = total {
            self.charge(call, total)?;
        }
        let size = total.unwrap_or(part.len() as u64);
        let limit = self.limit(call, self.limits.max_body).bytes();
        if size > limit {
            let values = [size, limit];
            self.refuse(
                call,
                &FaultRecord {
                    values,
                    ..FaultRecord::refused(code::BODY_TOO_LARGE)
                },
                outbox,
            );
        } else if let Some(code) = refusal {
            self.refuse(call, &FaultRecord::refused(code), outbox);
        } else if let Some(total) = total {
            return self.start_receiving(call, head, metadata.clone(), total, part);
        } else {
            return Ok(true);
        }
        self.set_body_open(call, total.is_some());
        Ok(false)
    }

    /// A further fragment of a request's body, or of an item behind it; what it was, once it is whole.
    pub(super) fn handle_fragment(
        &mut self,
        call: CallId,
        part: &[u8],
        more: bool,
    ) -> Result<Option<Whole>, ProtocolError> {
        let wrong = ProtocolError::WrongFragments { call };
        let slot = self.current(call).ok_or(wrong)?;
        let State::Receiving(receiving) = &mut slot.state else {
            if !slot.body_open {
                let items = slot.upload.as_mut().ok_or(wrong)?;
                return Ok(items.handle_fragment(call, part, more)?.map(Whole::Item));
            }
            slot.body_open = more;
            return Ok(None);
        };
        if !receiving.body.push(part, more) {
            return Err(wrong);
        }
        if more {
            return Ok(None);
        }
        let running = State::Running {
            oneway: receiving.head.oneway,
            begun: false,
            interrupted: None,
            items: None,
        };
        let State::Receiving(receiving) = std::mem::replace(&mut slot.state, running) else {
            return Err(wrong);
        };
        Ok(Some(Whole::Call(IncomingCall {
            id: call,
            head: receiving.head,
            metadata: receiving.metadata,
            body: receiving.body.finish(),
        })))
    }

    /// The body of the call that is arriving in fragments.
    pub(super) fn assembly(&mut self, call: CallId) -> Option<&mut Assembly> {
        let slot = self.current(call)?;
        match &mut slot.state {
            State::Receiving(receiving) => Some(&mut receiving.body),
            _ if slot.body_open => None,
            _ => slot.upload.as_mut()?.assembly(),
        }
    }

    /// The caller waits no more. Whether a handler is to be stopped.
    pub(super) fn handle_cancel(&mut self, call: CallId, outbox: &mut Outbox) -> Result<bool, ProtocolError> {
        let slot = self
            .slots
            .get(call.slot)
            .filter(|slot| slot.generation == call.generation);
        let slot = slot.ok_or(ProtocolError::SlotOutOfTurn { call })?;
        match &mut slot.state {
            State::Receiving(_) => {
                slot.body_open = true;
                self.done(call, outbox);
                Ok(false)
            }
            State::Running { interrupted, .. } => {
                // Not even the rest of an item that is half there comes any more, however long the handler runs on.
                slot.upload.iter_mut().for_each(|items| items.discard());
                Ok(interrupted.replace(Interrupt::Cancelled).is_none())
            }
            State::Answering(_) => {
                if !matches!(outbox.withdraw(call, false), Withdrawn::Gone) {
                    self.done(call, outbox);
                }
                Ok(false)
            }
            State::Closed | State::Answered(_) => Ok(false),
        }
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

    /// Sends the one terminal frame of a running call. False: it has been sent, or the call is unknown.
    pub(super) fn answer(&mut self, call: CallId, answer: Answer, outbox: &mut Outbox) -> bool {
        let Some(slot) = self.current(call) else {
            return false;
        };
        let State::Running {
            oneway,
            interrupted,
            items,
            ..
        } = &slot.state
        else {
            return false;
        };
        if items.is_some() {
            self.end_stream(call, answer, outbox);
            return true;
        }
        let oneway = *oneway;
        match (*interrupted, answer) {
            (_, Answer::Refused(record)) => self.refuse(call, &record, outbox),
            (Some(Interrupt::Cancelled), _) | (_, Answer::Nothing) => self.done(call, outbox),
            _ if oneway => self.done(call, outbox),
            (_, Answer::Succeeded(body)) => self.respond(call, 0, body, outbox),
            (_, Answer::StreamEnded) => self.respond(call, 0, Body::new(), outbox),
            (_, Answer::Failed(body)) => self.respond(call, 1, body, outbox),
            (_, Answer::Faulted(record)) => self.respond(call, 2, record.encode(), outbox),
        }
        true
    }

    /// The calls whose deadlines have passed.
    pub(super) fn overdue(&self, now: Instant) -> Vec<CallId> {
        let overdue = self.deadlines().filter(|(_, deadline)| *deadline <= now);
        overdue.map(|(call, _)| call).collect()
    }

    /// The deadline of the call has passed. Whether a handler is to be stopped.
    pub(super) fn expire(&mut self, call: CallId, outbox: &mut Outbox) -> bool {
        let Some(slot) = self.current(call) else {
            return false;
        };
        slot.deadline = None;
        match &mut slot.state {
            State::Running { interrupted, .. } => interrupted.replace(Interrupt::DeadlinePassed).is_none(),
            State::Receiving(_) => {
                slot.body_open = true;
                self.refuse(call, &FaultRecord::refused(code::DEADLINE_EXCEEDED), outbox);
                false
            }
            _ => false,
        }
    }

    /// What a call is answered whose handler was dropped before it ended.
    pub(super) fn interrupted_answer(&mut self, call: CallId) -> Answer {
        let Some(State::Running {
            begun, interrupted, ..
        }) = self.current(call).map(|slot| &slot.state)
        else {
            return Answer::Nothing;
        };
        let code = match interrupted {
            Some(Interrupt::Cancelled) => return Answer::Nothing,
            Some(Interrupt::DeadlinePassed) => code::DEADLINE_EXCEEDED,
            None => code::CANCELLED,
        };
        if *begun {
            Answer::Faulted(FaultRecord {
                outcome: ran::MAY_HAVE_RUN,
                ..FaultRecord::refused(code)
            })
        } else {
            Answer::Refused(FaultRecord::refused(code))
        }
    }

    /// Ends every call whose answer is not there yet: those that have begun may have run. Which ones.
    pub(super) fn cut(&mut self, outbox: &mut Outbox) -> Vec<CallId> {
        let open = self.slots.iter().filter_map(|(slot, state)| {
            let generation = state.generation;
            let is_open = matches!(state.state, State::Running { .. } | State::Receiving(_));
            is_open.then_some(CallId { slot, generation })
        });
        let open: Vec<_> = open.collect();
        for &call in &open {
            if self.is_receiving(call) {
                self.set_body_open(call, true);
                self.refuse(call, &cut_off(ran::REFUSED), outbox);
                continue;
            }
            let answer = if !self.is_running(call) {
                self.interrupted_answer(call)
            } else if self.has_begun(call) {
                Answer::Faulted(cut_off(ran::MAY_HAVE_RUN))
            } else {
                Answer::Refused(cut_off(ran::REFUSED))
            };
            self.answer(call, answer, outbox);
        }
        open
    }

    pub(super) fn next_deadline(&self) -> Option<Instant> {
        self.deadlines().map(|(_, deadline)| deadline).min()
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

    fn open_slot(&mut self, call: CallId, head: &RequestHead, outbox: &Outbox) -> Result<(), ProtocolError> {
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
        *slot = Slot {
            generation: call.generation,
            deadline: head.deadline,
            max_body: self.method_limits.of(head),
            buffer: head.buffer,
            upload: (head.upload).then(|| Box::new(ItemsIn::new(head.credit(self.limits.stream)))),
            ..Slot::default()
        };
        slot.state = State::Running {
            oneway: head.oneway,
            begun: false,
            interrupted: None,
            items: None,
        };
        self.open += 1;
        Ok(())
    }

    fn charge(&mut self, call: CallId, total: u64) -> Result<(), ProtocolError> {
        if !self.window.charge(total) {
            return Err(ProtocolError::WindowOverrun { total });
        }
        if let Some(slot) = self.current(call) {
            slot.charge = total;
        }
        Ok(())
    }

    fn start_receiving(
        &mut self,
        call: CallId,
        head: RequestHead,
        metadata: Metadata,
        total: u64,
        part: &[u8],
    ) -> Result<bool, ProtocolError> {
        // Within max_body, which this end chose to fit its memory.
        let mut body = Assembly::new(usize::try_from(total).unwrap_or(usize::MAX));
        if !body.push(part, true) {
            return Err(ProtocolError::WrongFragments { call });
        }
        if let Some(slot) = self.current(call) {
            slot.state = State::Receiving(Box::new(Receiving { head, metadata, body }));
        }
        Ok(false)
    }

    fn respond(&mut self, call: CallId, status: u8, body: Body, outbox: &mut Outbox) {
        let metadata = self.current(call).map(|slot| std::mem::take(&mut slot.metadata));
        // A fault record fills a packet by itself.
        let metadata = metadata.filter(|_| status != 2).unwrap_or_default();
        let extensions = metadata.encoded();
        if outbox.fits(4 + extensions.len(), body.len()) {
            let head = [status, 0, 0, 0];
            let response = OutFrame {
                extensions,
                ..frame(Kind::Response, call, &head)
            };
            let mark = outbox.push(&response, body);
            return self.close(call, State::Answered(mark));
        }
        let mut head = [status, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
        head[4..].copy_from_slice(&(body.len() as u64).to_le_bytes());
        let response = OutFrame {
            extensions,
            ..frame(Kind::Response, call, &head)
        };
        outbox.push_large(&response, body);
        self.close(call, State::Answering(None));
    }

    fn refuse(&mut self, call: CallId, record: &FaultRecord, outbox: &mut Outbox) {
        let mark = outbox.push(&frame(Kind::Refused, call, &[]), record.encode());
        self.close(call, State::Answered(mark));
    }

    fn done(&mut self, call: CallId, outbox: &mut Outbox) {
        let mark = outbox.push_done(call);
        self.close(call, State::Answered(mark));
    }

    fn close(&mut self, call: CallId, state: State) {
        self.begin(call);
        let Some(slot) = self.current(call) else { return };
        let was_open = !matches!(slot.state, State::Answering(_));
        (slot.state, slot.deadline) = (state, None);
        slot.upload.iter_mut().for_each(|items| items.discard());
        self.open -= usize::from(was_open);
    }

    fn set_body_open(&mut self, call: CallId, open: bool) {
        if let Some(slot) = self.current(call) {
            slot.body_open = open;
        }
    }

    fn current(&mut self, call: CallId) -> Option<&mut Slot> {
        self.slots
            .get(call.slot)
            .filter(|slot| slot.generation == call.generation)
    }

    fn deadlines(&self) -> impl Iterator<Item = (CallId, Instant)> {
        self.slots.iter().filter_map(|(id, slot)| {
            let waits = matches!(
                slot.state,
                State::Running {
                    interrupted: None,
                    ..
                } | State::Receiving(_)
            );
            let call = CallId {
                slot: id,
                generation: slot.generation,
            };
            slot.deadline.filter(|_| waits).map(|deadline| (call, deadline))
        })
    }
}

fn cut_off(outcome: u8) -> FaultRecord {
    FaultRecord {
        outcome,
        text: DRAIN_DEADLINE_PASSED.into(),
        ..FaultRecord::refused(code::DRAINING)
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
