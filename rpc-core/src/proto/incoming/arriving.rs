//! Requests as they arrive: whole, or in fragments.

use super::super::assembly::Assembly;
use super::super::metadata::Metadata;
use super::{
    Body, CallId, FaultRecord, Incoming, IncomingCall, Outbox, ProtocolError, RequestHead, State, code,
};

#[derive(Debug)]
pub(super) struct Receiving {
    head: RequestHead,
    metadata: Metadata,
    body: Assembly,
}

/// What a body was that is whole now.
pub(in crate::proto) enum Whole {
    Call(IncomingCall),
    Item(Body),
}

/// What the first frame of a request brings.
pub(in crate::proto) struct Arriving<'a> {
    pub(in crate::proto) call: CallId,
    pub(in crate::proto) head: &'a RequestHead,
    pub(in crate::proto) metadata: &'a Metadata,
    /// The size of the whole body, if it goes on in fragments.
    pub(in crate::proto) total: Option<u64>,
    /// What comes of the body with it.
    pub(in crate::proto) part: &'a [u8],
}

impl Incoming {
    /// Opens the call that a request begins. True: the whole body is there, the call may run.
    #[inline]
    pub(in crate::proto) fn handle_request(
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
        let limit = self.open_slot(call, head, outbox)?;
        if let Some(total) = total {
            self.charge(call, total)?;
        }
        let size = total.unwrap_or(part.len() as u64);
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
            return self.start_receiving(call, *head, metadata.clone(), total, part);
        } else {
            return Ok(true);
        }
        self.set_body_open(call, total.is_some());
        Ok(false)
    }

    /// A further fragment of a request's body, or of an item behind it; what it was, once it is whole.
    pub(in crate::proto) fn handle_fragment(
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
    pub(in crate::proto) fn assembly(&mut self, call: CallId) -> Option<&mut Assembly> {
        let slot = self.current(call)?;
        match &mut slot.state {
            State::Receiving(receiving) => Some(&mut receiving.body),
            _ if slot.body_open => None,
            _ => slot.upload.as_mut()?.assembly(),
        }
    }

    pub(super) fn charge(&mut self, call: CallId, total: u64) -> Result<(), ProtocolError> {
        if !self.window.charge(total) {
            return Err(ProtocolError::WindowOverrun { total });
        }
        if let Some(slot) = self.current(call) {
            slot.charge = total;
        }
        Ok(())
    }

    pub(super) fn start_receiving(
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
}
