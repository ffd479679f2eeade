//! What a call is answered: one terminal frame.

use super::{
    Answer, Body, CallId, FaultRecord, Incoming, Interrupt, Kind, Metadata, OutFrame, Outbox, State, frame,
};

impl Incoming {
    /// Sends the one terminal frame of a running call. False: it has been sent, or the call is unknown.
    pub(in crate::proto) fn answer(&mut self, call: CallId, answer: Answer, outbox: &mut Outbox) -> bool {
        self.answer_by(call, |_| answer, outbox)
    }

    /// The same with an answer that is made for the method's own limit for bodies.
    #[inline]
    pub(in crate::proto) fn answer_by(
        &mut self,
        call: CallId,
        answer: impl FnOnce(Option<u64>) -> Answer,
        outbox: &mut Outbox,
    ) -> bool {
        let Some(slot) = self.slots.get_used(call) else {
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
        let answer = answer(slot.max_body);
        if items.is_some() {
            self.end_stream(call, answer, outbox);
            return true;
        }
        let silent = *oneway || *interrupted == Some(Interrupt::Cancelled);
        let state = 'state: {
            let (status, body) = match answer {
                Answer::Refused(record) => break 'state refuse(call, &record, outbox),
                Answer::Nothing => break 'state done(call, outbox),
                _ if silent => break 'state done(call, outbox),
                Answer::Succeeded(body) => (0, body),
                Answer::StreamEnded => (0, Body::new()),
                Answer::Failed(body) => (1, body),
                Answer::Faulted(record) => (2, record.encode()),
            };
            respond(call, status, body, &mut slot.metadata, outbox)
        };
        slot.close(state, &mut self.window, &mut self.open);
        true
    }

    pub(super) fn refuse(&mut self, call: CallId, record: &FaultRecord, outbox: &mut Outbox) {
        self.close(call, refuse(call, record, outbox));
    }

    pub(super) fn done(&mut self, call: CallId, outbox: &mut Outbox) {
        self.close(call, done(call, outbox));
    }
}

/// Always in place: called, its arguments are moved twice.
#[inline(always)]
fn respond(call: CallId, status: u8, body: Body, metadata: &mut Metadata, outbox: &mut Outbox) -> State {
    let metadata = std::mem::take(metadata);
    // A fault record fills a packet by itself.
    let extensions = if status == 2 { &[] } else { metadata.encoded() };
    if !outbox.fits(4 + extensions.len(), body.len()) {
        return respond_large(call, status, body, extensions, outbox);
    }
    let head = [status, 0, 0, 0];
    let response = OutFrame {
        extensions,
        ..frame(Kind::Response, call, &head)
    };
    State::Answered(outbox.push(&response, body))
}

fn respond_large(call: CallId, status: u8, body: Body, extensions: &[u8], outbox: &mut Outbox) -> State {
    let mut head = [status, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
    head[4..].copy_from_slice(&(body.len() as u64).to_le_bytes());
    let response = OutFrame {
        extensions,
        ..frame(Kind::Response, call, &head)
    };
    outbox.push_large(&response, body);
    State::Answering(None)
}

fn refuse(call: CallId, record: &FaultRecord, outbox: &mut Outbox) -> State {
    State::Answered(outbox.push(&frame(Kind::Refused, call, &[]), record.encode()))
}

fn done(call: CallId, outbox: &mut Outbox) -> State {
    State::Answered(outbox.push_done(call))
}
