//! Calls that are to end before their handler is done: cancelled, overdue, or cut by an end that leaves.

use std::time::Instant;

use super::super::outbox::Withdrawn;
use super::{Answer, CallId, FaultRecord, Incoming, Outbox, ProtocolError, State, code, ran};

/// What the callers of calls are told that a drain deadline cut.
const DRAIN_DEADLINE_PASSED: &str = "the other end had to leave: its drain deadline passed";

/// Why a running call is to end without its result.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::proto) enum Interrupt {
    /// The caller cancelled it.
    Cancelled,
    /// Its deadline passed.
    DeadlinePassed,
}

impl Incoming {
    /// The caller waits no more. Whether a handler is to be stopped.
    pub(in crate::proto) fn handle_cancel(
        &mut self,
        call: CallId,
        outbox: &mut Outbox,
    ) -> Result<bool, ProtocolError> {
        let slot = self.current(call).ok_or(ProtocolError::SlotOutOfTurn { call })?;
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

    /// The calls whose deadlines have passed.
    pub(in crate::proto) fn overdue(&self, now: Instant) -> Vec<CallId> {
        let overdue = self.deadlines().filter(|(_, deadline)| *deadline <= now);
        overdue.map(|(call, _)| call).collect()
    }

    /// The deadline of the call has passed. Whether a handler is to be stopped.
    pub(in crate::proto) fn expire(&mut self, call: CallId, outbox: &mut Outbox) -> bool {
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
    pub(in crate::proto) fn interrupted_answer(&mut self, call: CallId) -> Answer {
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
    pub(in crate::proto) fn cut(&mut self, outbox: &mut Outbox) -> Vec<CallId> {
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

    pub(in crate::proto) fn next_deadline(&self) -> Option<Instant> {
        self.deadlines().map(|(_, deadline)| deadline).min()
    }

    pub(super) fn deadlines(&self) -> impl Iterator<Item = (CallId, Instant)> {
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
