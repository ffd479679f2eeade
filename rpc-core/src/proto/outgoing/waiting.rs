//! Large request bodies, which wait until the window has room for them.

use super::super::outbox::Withdrawn;
use super::{CallId, Outbox, Outgoing, frame};

impl Outgoing {
    /// The callee grants more bytes of large request bodies.
    pub(in crate::proto) fn handle_credit(&mut self, granted: u64, outbox: &mut Outbox) {
        self.window.raise(granted);
        self.start_waiting(outbox);
    }

    pub(in crate::proto) fn window_left(&self) -> u64 {
        self.window.left()
    }

    /// Takes a large body back. Whether parts of it had left.
    pub(super) fn withdraw_body(&mut self, call: CallId, outbox: &mut Outbox) -> bool {
        if let Some(at) = self.waiting.iter().position(|(waiting, ..)| *waiting == call) {
            self.waiting.remove(at);
            return false;
        }
        let Withdrawn::Unsent { size } = outbox.withdraw(call, true) else {
            return true;
        };
        // It was charged when it left the waiting line, and the callee will never return that.
        self.window.take_back(size);
        self.start_waiting(outbox);
        false
    }

    /// Starts the large bodies that the window has room for.
    pub(super) fn start_waiting(&mut self, outbox: &mut Outbox) {
        while let Some((call, head, metadata, body)) = self.waiting.pop_front() {
            if !self.window.charge(body.len() as u64) {
                self.waiting.push_front((call, head, metadata, body));
                return;
            }
            let mut bytes = [0; 36];
            bytes[..28].copy_from_slice(&head.encode());
            bytes[28..].copy_from_slice(&(body.len() as u64).to_le_bytes());
            outbox.push_large(&frame(call, &head, &bytes, &metadata), body);
        }
    }
}
