//! How an end takes its leave of the other: it drains, says what the peer did wrong, and says farewell. PROTOCOL.md section 12.

use super::Body;
use super::call::{CallId, truncated};
use super::connection::Connection;
use super::error::ProtocolError;
use super::outbox::{Mark, OutFrame};
use super::wire::Kind;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Farewell {
    Unsaid,
    /// Leaves when all else has left.
    Due,
    Said,
}

impl Connection {
    /// Refuses calls of depth 0 from now on, and tells the peer.
    pub fn drain(&mut self, text: &str) {
        if !self.draining {
            self.draining = true;
            let _ = self.goaway(0, text);
        }
    }

    /// The time for draining is over: ends every call of the peer's that has no answer yet, and says farewell once that has
    /// left. Which calls. What this end still waits for is to be [abandoned](Self::abandon) before.
    pub fn cut(&mut self) -> Vec<CallId> {
        let calls = self.incoming.cut(&mut self.outbox);
        self.say_farewell();
        calls
    }

    /// Tells the peer what it did wrong; the connection ends after.
    pub fn report(&mut self, error: &ProtocolError) {
        self.report = Some(self.goaway(1, &error.to_string()));
    }

    /// Whether the report of what the peer did wrong was taken for sending.
    #[must_use]
    pub fn has_reported(&self) -> bool {
        self.report.is_some_and(|report| self.outbox.has_left(report))
    }

    /// Says farewell once all else has left.
    pub fn say_farewell(&mut self) {
        if self.farewell == Farewell::Unsaid {
            self.farewell = Farewell::Due;
        }
    }

    /// Whether this end has said farewell, or is about to: it makes no calls any more, and refuses all that come.
    #[must_use]
    #[inline]
    pub fn is_parting(&self) -> bool {
        self.farewell != Farewell::Unsaid
    }

    /// Whether calls of depth 0 are refused.
    #[must_use]
    #[inline]
    pub fn is_draining(&self) -> bool {
        self.draining
    }

    fn goaway(&mut self, reason: u16, text: &str) -> Mark {
        self.outbox.push(
            &OutFrame::plain(Kind::Goaway, &reason.to_le_bytes()),
            Body::copy_from(truncated(text).as_bytes()),
        )
    }
}
