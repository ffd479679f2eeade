//! How calls leave their slots.

use super::{CallId, Ending, Outbox, Outgoing, Progress, ProtocolError, Slot, State};

/// What a terminal frame has found.
#[derive(Debug)]
pub(in crate::proto) enum Closed {
    /// Somebody waits for the call's ending.
    WaitedFor {
        /// The method's own limit for the size of bodies.
        max_body: Option<u64>,
    },
    /// Nobody does, but the slot was the callee's until now.
    Abandoned,
    /// The call was over.
    Late,
}

impl Outgoing {
    /// The call's terminal frame: its slot is free, and whoever waits for it is told the ending.
    pub(in crate::proto) fn handle_terminal(
        &mut self,
        call: CallId,
        ending: Ending,
        outbox: &mut Outbox,
    ) -> Result<Option<Ending>, ProtocolError> {
        let is_done = matches!(ending, Ending::Done);
        let closed = self.close(call, outbox, |slot| {
            if is_done && slot.state == State::Open && !slot.oneway {
                return Err(ProtocolError::NoResult { call });
            }
            Ok(())
        })?;
        Ok(matches!(closed, Closed::WaitedFor { .. }).then_some(ending))
    }

    /// Frees the slot of a call that has its terminal frame, unless `check` finds that frame wrong.
    #[inline]
    pub(super) fn close(
        &mut self,
        call: CallId,
        outbox: &mut Outbox,
        check: impl FnOnce(&Slot) -> Result<(), ProtocolError>,
    ) -> Result<Closed, ProtocolError> {
        let slot = self.slots.get_used(call);
        let slot = slot.ok_or(ProtocolError::SlotOutOfTurn { call })?;
        check(slot)?;
        let max_body = slot.max_body;
        let closed = match slot.state {
            State::Open => Closed::WaitedFor { max_body },
            State::Abandoned => Closed::Abandoned,
            State::Free => return Ok(Closed::Late),
        };
        Self::break_upload(slot, call, outbox);
        let was_leaving = matches!(slot.progress, Progress::Large);
        slot.free();
        self.free_slot(call.slot);
        if was_leaving {
            // The callee wants no more of the body.
            self.withdraw_body(call, outbox);
        }
        Ok(closed)
    }

    #[inline]
    pub(super) fn free_slot(&mut self, id: u32) {
        self.open -= 1;
        let nested = self.slots.is_nested(id);
        self.free.of(nested).push(id);
    }
}

impl Slot {
    #[inline]
    pub(super) fn free(&mut self) {
        (self.state, self.deadline, self.response) = (State::Free, None, None);
        (self.upload, self.download) = (None, None);
    }
}
