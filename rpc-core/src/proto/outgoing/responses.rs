//! What calls are answered.

use super::super::assembly::Assembly;
use super::super::body_limits::BodyLimit;
use super::super::wire::Kind;
use super::{Body, CallId, Closed, Ending, FaultRecord, Outbox, Outgoing, ProtocolError, State, code, ran};

impl Outgoing {
    /// The call's method has a limit of its own for its response.
    pub(in crate::proto) fn limit_response(&mut self, call: CallId, max_body: u64) {
        if let Some(slot) = self.current(call) {
            slot.max_body = Some(max_body);
        }
    }

    /// A whole response has come.
    #[inline]
    pub(in crate::proto) fn close_answered(
        &mut self,
        call: CallId,
        status: u8,
        outbox: &mut Outbox,
    ) -> Result<Closed, ProtocolError> {
        self.close(call, outbox, |slot| match status {
            _ if slot.download.is_some() => Err(ProtocolError::SlotOutOfTurn { call }),
            0..=2 => Ok(()),
            _ => {
                let kind = Kind::Response as u8;
                Err(ProtocolError::MalformedHead { kind })
            }
        })
    }

    /// The first part of a response that goes on in fragments. One over the limit ends its call, which is cancelled:
    /// the peer may know another limit of the method.
    pub(in crate::proto) fn handle_large_response(
        &mut self,
        call: CallId,
        status: u8,
        total: u64,
        part: &[u8],
        limit: u64,
        outbox: &mut Outbox,
    ) -> Result<Option<Ending>, ProtocolError> {
        if status > 1 {
            return Err(ProtocolError::MalformedHead {
                kind: Kind::Response as u8,
            });
        }
        let limit = self.response_limit(call, limit);
        let Some(slot) = self.find(call)?.filter(|slot| slot.state == State::Open) else {
            return Ok(None);
        };
        if total > limit && slot.response.is_none() {
            self.abandon(call, outbox);
            return Ok(Some(too_large(total, limit)));
        }
        // Within the limit, which this end chose to fit its memory.
        let mut assembly = Assembly::new(usize::try_from(total).unwrap_or(usize::MAX));
        if slot.response.is_some() || !assembly.push(part, true) {
            return Err(ProtocolError::WrongFragments { call });
        }
        slot.response = Some(Box::new((status == 1, assembly)));
        Ok(None)
    }

    pub(in crate::proto) fn handle_fragment(
        &mut self,
        call: CallId,
        part: &[u8],
        more: bool,
        outbox: &mut Outbox,
    ) -> Result<Option<Ending>, ProtocolError> {
        let Some(slot) = self.find(call)? else {
            return Ok(None);
        };
        if slot.state == State::Abandoned {
            // The parts before were dropped with the call; the last one still ends it.
            return if more {
                Ok(None)
            } else {
                self.handle_terminal(call, Ending::Done, outbox)
            };
        }
        let Some((failed, assembly)) = slot.response.as_deref_mut() else {
            return Err(ProtocolError::WrongFragments { call });
        };
        let failed = *failed;
        if !assembly.push(part, more) {
            return Err(ProtocolError::WrongFragments { call });
        }
        if more {
            return Ok(None);
        }
        let body = slot
            .response
            .take()
            .map(|response| response.1.finish())
            .unwrap_or_default();
        let ending = if failed {
            Ending::Failed(body)
        } else {
            Ending::Succeeded(body)
        };
        self.handle_terminal(call, ending, outbox)
    }

    /// The body of the call that is arriving in fragments.
    pub(in crate::proto) fn assembly(&mut self, call: CallId) -> Option<&mut Assembly> {
        let slot = self.current(call)?;
        match (&mut slot.download, &mut slot.response) {
            (Some(items), _) => items.assembly(),
            (None, response) => response.as_mut().map(|response| &mut response.1),
        }
    }

    /// The limit for the response to a call: its method's, or else `of_end`.
    pub(super) fn response_limit(&mut self, call: CallId, of_end: u64) -> u64 {
        BodyLimit::of(self.current(call).and_then(|slot| slot.max_body), of_end).bytes()
    }
}

/// What a whole response says that may have `limit` bytes.
pub(in crate::proto) fn ending_of(status: u8, body: Body, limit: u64) -> Ending {
    let size = body.len() as u64;
    match status {
        0 | 1 if size > limit => too_large(size, limit),
        0 => Ending::Succeeded(body),
        1 => Ending::Failed(body),
        _ => Ending::Faulted(FaultRecord::decode(body.as_ref())),
    }
}

/// The ending of a call whose response is over the limit.
#[cold]
fn too_large(size: u64, limit: u64) -> Ending {
    Ending::Faulted(FaultRecord {
        code: code::BODY_TOO_LARGE,
        outcome: ran::RAN,
        values: [size, limit],
        text: "a response; the server was built with another max_body".to_owned(),
    })
}
