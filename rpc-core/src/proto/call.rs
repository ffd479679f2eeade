//! Calls: their ids and what travels with them.

use std::fmt;
use std::time::{Duration, Instant};

use super::wire::{ONEWAY, OPENER, STREAM, u16_at, u32_at, u64_at};
use super::{Body, Metadata};

/// Which call of a connection: a slot below the granted credit, and how often the slot was used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct CallId {
    pub(crate) slot: u32,
    pub(crate) generation: u32,
}

impl fmt::Display for CallId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "call {}.{}", self.slot, self.generation)
    }
}

/// What a request says beside its body. PROTOCOL.md section 6.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RequestHead {
    /// The wire id of the mounted service's name.
    pub service: u32,
    /// The wire id of the method's name.
    pub method: u32,
    /// The hash of the signature; 0 is unknown.
    pub fingerprint: u64,
    /// How many calls wait for this one; 0 for a call that no handler makes.
    pub depth: u8,
    /// How often the call was tried before.
    pub attempt: u8,
    /// Nobody waits for the result.
    pub oneway: bool,
    /// Items follow the arguments.
    pub upload: bool,
    /// The most bytes of credit that a stream of the call begins with, in KiB; 0 leaves it to the Hellos.
    pub buffer: u16,
    /// When the caller stops waiting.
    pub deadline: Option<Instant>,
}

/// Where in a request's head the remaining time stands.
pub(super) const REMAINING_AT: usize = 16;

impl RequestHead {
    /// The head without the remaining time, which is written when the packet leaves.
    #[inline]
    pub(super) fn encode(&self) -> [u8; 28] {
        let mut head = [0; 28];
        head[0..4].copy_from_slice(&self.service.to_le_bytes());
        head[4..8].copy_from_slice(&self.method.to_le_bytes());
        head[8..16].copy_from_slice(&self.fingerprint.to_le_bytes());
        head[24] = self.depth;
        head[25] = self.attempt;
        head[26..28].copy_from_slice(&self.buffer.to_le_bytes());
        head
    }

    /// The flags that go with the head.
    #[inline]
    pub(super) fn flags(&self) -> u8 {
        let oneway = if self.oneway { ONEWAY } else { 0 };
        let upload = if self.upload { STREAM } else { 0 };
        OPENER | oneway | upload
    }

    /// What a stream of the call begins with, where the receiver grants `most` bytes.
    pub(super) fn credit(&self, most: u64) -> u64 {
        Self::limit(self.buffer, most)
    }

    /// The lower of `most` bytes and the buffer in KiB, unless that is 0.
    pub(super) fn limit(buffer: u16, most: u64) -> u64 {
        match buffer {
            0 => most,
            kib => most.min(u64::from(kib) << 10),
        }
    }

    #[inline]
    pub(super) fn decode(head: &[u8; 28], flags: u8, now: &dyn Fn() -> Instant) -> Self {
        Self {
            service: u32_at(head, 0),
            method: u32_at(head, 4),
            fingerprint: u64_at(head, 8),
            deadline: deadline_of(u64_at(head, REMAINING_AT), now),
            depth: head[24],
            attempt: head[25],
            oneway: flags & ONEWAY != 0,
            upload: flags & STREAM != 0,
            buffer: u16_at(head, 26),
        }
    }
}

/// The microseconds that are left until `deadline`, at least 1: 0 is "no deadline".
pub(super) fn remaining(deadline: Instant, now: Instant) -> u64 {
    let left = deadline.saturating_duration_since(now).as_micros();
    u64::try_from(left).unwrap_or(u64::MAX).max(1)
}

/// A deadline further off than this is none: clocks and timers need not reach it.
const FAR: Duration = Duration::from_secs(365 * 24 * 3600);

#[inline]
fn deadline_of(remaining: u64, now: &dyn Fn() -> Instant) -> Option<Instant> {
    // No deadline first: most calls have none.
    if remaining == 0 || remaining > FAR.as_micros() as u64 {
        return None;
    }
    now().checked_add(Duration::from_micros(remaining))
}

/// A call of the peer's, whole.
#[derive(Debug)]
pub struct IncomingCall {
    /// Which call.
    pub id: CallId,
    /// What is called, and how.
    pub head: RequestHead,
    /// What travels beside the arguments.
    pub metadata: Metadata,
    /// The arguments.
    pub body: Body,
}

/// How a call of this end's ended.
#[derive(Clone, Debug)]
pub enum Ending {
    /// The method returned a value, or `Ok`.
    Succeeded(Body),
    /// The method returned `Err`.
    Failed(Body),
    /// It ended without a result.
    Faulted(FaultRecord),
    /// The other end is done with it and has nothing to say.
    Done,
    /// The stream that answered it is complete.
    StreamEnded,
    /// The deadline passed at this end.
    DeadlinePassed {
        /// Nothing of the request had left.
        unsent: bool,
    },
}

/// Why a call ended without a result, as it goes over the wire. PROTOCOL.md section 8.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FaultRecord {
    /// The reason, as a number.
    pub code: u16,
    /// Whether it ran, as a number.
    pub outcome: u8,
    /// What belongs to the reason, as its section says.
    pub values: [u64; 2],
    /// A text for people.
    pub text: String,
}

/// The numbers of the reasons. PROTOCOL.md section 8.
#[allow(
    missing_docs,
    reason = "the reasons are documented where they are an enum, in crate::fault"
)]
pub mod code {
    pub const OVERLOADED: u16 = 1;
    pub const DEADLINE_EXCEEDED: u16 = 2;
    pub const CANCELLED: u16 = 3;
    pub const DRAINING: u16 = 4;
    pub const UNKNOWN_SERVICE: u16 = 5;
    pub const UNKNOWN_METHOD: u16 = 6;
    pub const SIGNATURE_MISMATCH: u16 = 7;
    pub const BODY_TOO_LARGE: u16 = 8;
    pub const ENCODE: u16 = 9;
    pub const DECODE: u16 = 10;
    pub const PANICKED: u16 = 11;
    pub const TOO_DEEP: u16 = 12;
    pub const LAYER: u16 = 13;
    pub const FORBIDDEN: u16 = 14;
}

/// Whether a call ran, as a number. PROTOCOL.md section 8.
#[allow(missing_docs, reason = "as above")]
pub mod ran {
    pub const REFUSED: u8 = 1;
    pub const MAY_HAVE_RUN: u8 = 2;
    pub const RAN: u8 = 3;
}

/// The longest text that goes with a fault, a Goaway or a Reject, in bytes: with all around it, it fits the smallest
/// packet.
const MAX_TEXT: usize = 4000;

impl FaultRecord {
    /// A call that was refused before it ran.
    pub(super) fn refused(code: u16) -> Self {
        Self {
            code,
            outcome: ran::REFUSED,
            ..Self::default()
        }
    }

    pub(super) fn encode(&self) -> Body {
        let mut writer = super::BodyWriter::new();
        writer.write(&self.code.to_le_bytes());
        writer.write(&[self.outcome, 0]);
        self.values
            .iter()
            .for_each(|value| writer.write(&value.to_le_bytes()));
        writer.write(truncated(&self.text).as_bytes());
        writer.finish()
    }

    /// What can be made of the bytes; a shorter record has zeros for the rest, bad UTF-8 is replaced.
    pub(super) fn decode(body: &[u8]) -> Self {
        let mut fixed = [0; 20];
        let known = body.len().min(fixed.len());
        fixed[..known].copy_from_slice(&body[..known]);
        let text = &body[known..];
        Self {
            code: u16::from_le_bytes([fixed[0], fixed[1]]),
            outcome: fixed[2],
            values: [u64_at(&fixed, 4), u64_at(&fixed, 12)],
            text: String::from_utf8_lossy(&text[..text.len().min(MAX_TEXT)]).into_owned(),
        }
    }
}

/// The text, cut at a character if it is too long for the wire.
pub(super) fn truncated(text: &str) -> &str {
    let mut end = text.len().min(MAX_TEXT);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..end]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_deadline_travels_as_the_time_that_is_left() {
        let now = Instant::now();
        assert_eq!(remaining(now + Duration::from_millis(3), now), 3000);
        assert_eq!(remaining(now, now + Duration::from_secs(1)), 1);
        assert_eq!(deadline_of(3000, &|| now), Some(now + Duration::from_millis(3)));
        assert_eq!(deadline_of(0, &|| now), None);
        assert_eq!(deadline_of(u64::MAX, &|| now), None);
    }

    #[test]
    fn a_fault_record_survives_any_cut() {
        let record = FaultRecord {
            code: 8,
            outcome: 1,
            values: [70, 64],
            text: "too large".to_owned(),
        };
        let body = record.encode();
        assert_eq!(FaultRecord::decode(body.as_ref()), record);
        for cut in 0..body.len() {
            let _ = FaultRecord::decode(&body.as_ref()[..cut]);
        }
        let long = FaultRecord {
            text: "ä".repeat(MAX_TEXT),
            ..record
        };
        assert_eq!(FaultRecord::decode(long.encode().as_ref()).text.len(), MAX_TEXT);
    }
}
