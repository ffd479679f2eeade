//! Streams of items: their names, room, ends and frames. PROTOCOL.md section 7.1.
//!
//! A call has at most one stream each way. Which call it belongs to, and whose call that is, is its name.

mod receiving;
mod sending;

pub(super) use receiving::{CreditDue, ItemsIn, push_credit};
pub(super) use sending::ItemsOut;

use super::Body;
use super::call::{CallId, FaultRecord};
use super::outbox::OutFrame;
use super::wire::{Kind, OPENER};

/// What an item costs beside its bytes, so that empty ones cannot be sent without end.
const OVERHEAD: u64 = 64;

/// Which end opened a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Opener {
    /// This one.
    ThisEnd,
    /// The other.
    Peer,
}

/// A call's stream to this end, or from it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct StreamId {
    /// Whose call it is.
    pub opener: Opener,
    /// Which of theirs.
    pub call: CallId,
}

/// Whether an item may be sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Room {
    /// Yes; so many bytes of credit are left, and the last item may go beyond.
    Open(u64),
    /// Not now: [`Event::Room`](super::Event::Room) tells when.
    Full,
    /// The other end wants no more; the stream is to be ended.
    Stopped,
    /// The stream has ended, or its call has.
    Over,
}

/// How a stream of items ends.
#[derive(Clone, Debug)]
pub enum ItemsEnd {
    /// All items were sent.
    Complete,
    /// With an error of the application's own.
    Failed(Body),
    /// It broke off.
    Faulted(FaultRecord),
}

/// What an item of that many bytes takes of the credit.
#[must_use]
pub fn cost(len: usize) -> u64 {
    (len as u64).saturating_add(OVERHEAD)
}

fn frame(kind: Kind, id: StreamId, head: &[u8]) -> OutFrame<'_> {
    let flags = match id.opener {
        Opener::ThisEnd => OPENER,
        Opener::Peer => 0,
    };
    OutFrame {
        kind,
        flags,
        call: id.call,
        head,
        extensions: &[],
        deadline: None,
    }
}
