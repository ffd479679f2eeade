//! What a call is answered: one terminal frame.

use super::{Answer, Body, CallId, FaultRecord, Incoming, Interrupt, Kind, OutFrame, Outbox, State, frame};

impl Incoming {
    /// Sends the one terminal frame of a running call. False: it has been sent, or the call is unknown.
    pub(in crate::proto) fn answer(&mut self, call: CallId, answer: Answer, outbox: &mut Outbox) -> bool {
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

    pub(super) fn respond(&mut self, call: CallId, status: u8, body: Body, outbox: &mut Outbox) {
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

    pub(super) fn refuse(&mut self, call: CallId, record: &FaultRecord, outbox: &mut Outbox) {
        let mark = outbox.push(&frame(Kind::Refused, call, &[]), record.encode());
        self.close(call, State::Answered(mark));
    }

    pub(super) fn done(&mut self, call: CallId, outbox: &mut Outbox) {
        let mark = outbox.push_done(call);
        self.close(call, State::Answered(mark));
    }
}
