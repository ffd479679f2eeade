//! Which body the next packet most likely brings a part of, and the memory for it to land in.
//!
//! Bodies that arrive side by side take turns, so it is the one whose turn is longest ago. A guess that is wrong costs
//! a copy, and nothing else.

use std::collections::VecDeque;
use std::time::Instant;

use super::ProtocolError;
use super::assembly::Assembly;
use super::connection::Connection;
use super::items::{Opener, StreamId};
use super::wire::{Header, Kind, OPENER};
use crate::transport::{Landing, Packet};

/// How many bodies are looked at. If more arrive side by side, no guess is worth it.
const MOST: usize = 16;

/// The bodies that are arriving, in the order in which the next parts of them are expected.
#[derive(Debug, Default)]
pub(super) struct Turns {
    bodies: VecDeque<StreamId>,
    /// The last part was of the body that was expected.
    kept: bool,
    /// The memory of this one is lent out.
    lent: Option<StreamId>,
}

impl Turns {
    /// The first part of a body has come.
    pub(super) fn on_start(&mut self, body: StreamId) {
        if self.bodies.len() < MOST {
            self.bodies.push_back(body);
        }
    }

    /// A further part has come.
    pub(super) fn on_part(&mut self, body: StreamId, more: bool) {
        // One that has missed its turn is expected no more, until its next part comes.
        let expected = self.bodies.pop_front();
        self.kept = expected == Some(body);
        if !self.kept {
            self.bodies.retain(|other| *other != body);
        }
        if more {
            self.on_start(body);
        }
    }

    #[inline]
    fn next(&self) -> Option<StreamId> {
        let next = self.bodies.front().copied();
        next.filter(|_| self.kept || self.bodies.len() == 1)
    }
}

impl Connection {
    /// Where the body in the next packet most likely belongs. It is to be given back with that packet.
    #[inline]
    pub fn lend_landing(&mut self) -> Option<Landing> {
        let id = self.turns.next()?;
        self.lend_landing_of(id)
    }

    fn lend_landing_of(&mut self, id: StreamId) -> Option<Landing> {
        let max_packet = self.agreed.max_packet;
        let Some(assembly) = self.assembly(id) else {
            // Its call has ended in the middle of it.
            self.turns.bodies.pop_front();
            return None;
        };
        let landing = assembly.lend(max_packet)?;
        self.turns.lent = Some(id);
        Some(landing)
    }

    /// Takes in a received packet, as [`handle_packet`](Self::handle_packet) does, and the landing that was lent for it.
    ///
    /// # Errors
    /// As of `handle_packet`.
    pub fn handle_landed(
        &mut self,
        packet: Packet,
        landing: Landing,
        now: impl FnOnce() -> Instant,
    ) -> Result<(), ProtocolError> {
        let packet = self.take_landed(packet, landing);
        self.handle_packet(packet, now)
    }

    /// Takes back the landing that was lent for a packet. The packet as it is to be taken in.
    pub fn take_landed(&mut self, mut packet: Packet, mut landing: Landing) -> Packet {
        let lent = self.turns.lent.take();
        let kept = lent.map_or(0, |id| fragment_of(&packet, id));
        landing.put_back(kept, &mut packet);
        if let Some(assembly) = lent.and_then(|id| self.assembly(id)) {
            assembly.take_back(landing);
        }
        packet
    }

    fn assembly(&mut self, id: StreamId) -> Option<&mut Assembly> {
        match id.opener {
            Opener::Peer => self.incoming.assembly(id.call),
            Opener::ThisEnd => self.outgoing.assembly(id.call),
        }
    }
}

/// The size of the fragment that the packet begins with, if it is one of that body; else 0.
fn fragment_of(packet: &[u8], id: StreamId) -> usize {
    let Some(header) = Header::decode(packet) else {
        return 0;
    };
    let opener = header.flags & OPENER != 0;
    let is_part = header.kind == Kind::Fragment as u8
        && header.head == 0
        && (header.slot, header.generation) == (id.call.slot, id.call.generation)
        && opener == (id.opener == Opener::Peer);
    // Longer than what may land, it is too long for its body, and is refused as such.
    if is_part { header.length as usize } else { 0 }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::proto::CallId;

    fn body(slot: u32) -> StreamId {
        let opener = Opener::Peer;
        let call = CallId { slot, generation: 1 };
        StreamId { opener, call }
    }

    #[test]
    fn bodies_side_by_side_are_expected_in_turns() {
        let mut turns = Turns::default();
        turns.on_start(body(1));
        assert_eq!(turns.next(), Some(body(1)));
        turns.on_start(body(2));
        assert_eq!(turns.next(), None, "nobody knows yet which goes first");
        for _ in 0..3 {
            turns.on_part(body(1), true);
            assert_eq!(turns.next(), Some(body(2)));
            turns.on_part(body(2), true);
            assert_eq!(turns.next(), Some(body(1)));
        }
        turns.on_part(body(1), false);
        assert_eq!(turns.next(), Some(body(2)));
    }

    #[test]
    fn one_that_stalls_is_not_waited_for() {
        let mut turns = Turns::default();
        turns.on_start(body(1));
        turns.on_start(body(2));
        turns.on_part(body(2), true);
        assert_eq!(turns.next(), Some(body(2)));
        turns.on_part(body(2), true);
        assert_eq!(turns.next(), Some(body(2)));
    }

    #[test]
    fn no_more_are_remembered_than_are_worth_it() {
        let mut turns = Turns::default();
        (0..100).for_each(|slot| turns.on_start(body(slot)));
        (0..100).for_each(|slot| turns.on_part(body(slot), true));
        assert!(turns.bodies.len() <= MOST);
    }
}
