//! Frames on their way out, put together into packets. Bodies larger than a packet take turns.
//!
//! Small frames leave in the order they came, many in one packet. A body that does not fit waits in a line of its own,
//! a fragment at a time, alternating with the packets of small frames; so a control frame may overtake another call's
//! body, and never a frame of its own call.

use std::collections::VecDeque;
use std::time::Instant;

use bytes::Bytes;

use super::call::{REMAINING_AT, remaining};
use super::items::{Opener, StreamId};
use super::under_way::may_begin;
use super::wire::{EXT, HEADER, Header, Kind, MORE, OPENER};
use super::{Body, CallId};

/// Bodies from this size on are sent from where they are; smaller ones are copied into the packet.
const GATHER: usize = 4096;

/// What an idle outbox keeps of its buffers, in bytes.
const KEEP: usize = 4096;

/// One packet to send: the bytes of `head`, then those of `tail`.
#[derive(Debug, Default)]
pub struct OutPacket {
    head: Vec<u8>,
    tail: Bytes,
    /// Where the remaining time of a request is to be written, and what it counts down to.
    deadlines: Vec<(usize, Instant)>,
}

impl OutPacket {
    /// The bytes to send, in order.
    #[must_use]
    pub fn slices(&self) -> [std::io::IoSlice<'_>; 2] {
        [
            std::io::IoSlice::new(&self.head),
            std::io::IoSlice::new(&self.tail),
        ]
    }

    pub(crate) fn len(&self) -> usize {
        self.head.len() + self.tail.len()
    }

    /// Writes what is left of each deadline now that the packet leaves.
    fn stamp(&mut self, now: impl FnOnce() -> Instant) {
        if self.deadlines.is_empty() {
            return;
        }
        let now = now();
        for (at, deadline) in self.deadlines.drain(..) {
            self.head[at..at + 8].copy_from_slice(&remaining(deadline, now).to_le_bytes());
        }
    }

    /// Forgets what was sent, and keeps the buffer.
    pub fn clear(&mut self) {
        self.head.clear();
        self.tail = Bytes::new();
        self.deadlines.clear();
    }
}

/// The number of the packet that a frame leaves in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Mark(u64);

/// A frame before it has its place in a packet.
pub(super) struct OutFrame<'a> {
    pub(super) kind: Kind,
    pub(super) flags: u8,
    pub(super) call: CallId,
    pub(super) head: &'a [u8],
    pub(super) extensions: &'a [u8],
    pub(super) deadline: Option<Instant>,
}

impl OutFrame<'_> {
    fn head_len(&self) -> usize {
        self.head.len() + self.extensions.len()
    }

    fn flags_with_extensions(&self) -> u8 {
        if self.extensions.is_empty() {
            self.flags
        } else {
            self.flags | EXT
        }
    }
}

/// A body that leaves in fragments.
struct LargeBody {
    call: CallId,
    /// The first frame's kind and head; `Fragment` once it has left.
    kind: Kind,
    flags: u8,
    head: Vec<u8>,
    deadline: Option<Instant>,
    rest: Bytes,
    /// How many bytes of items it is, as a whole; 0 if it is a call's.
    item: u64,
    started: bool,
    /// The packet of small frames that was the last when it came. It may hold the cancel of its slot's last call.
    after: Mark,
}

/// What [`Outbox::withdraw`] found of a large body.
pub(super) enum Withdrawn {
    /// It is not here, or no longer.
    Gone,
    /// No part of it had left.
    Unsent {
        /// How many bytes it has.
        size: u64,
    },
    /// Parts of it had left.
    HalfSent,
}

pub(super) struct Outbox {
    max_packet: usize,
    full: VecDeque<OutPacket>,
    open: OutPacket,
    spare: Option<OutPacket>,
    /// Packets of small frames taken so far.
    taken: u64,
    bodies: VecDeque<LargeBody>,
    bodies_turn: bool,
    /// Large items that wait in line, because those that take turns fill the peer's window.
    line: VecDeque<LargeBody>,
    item_window: u64,
    /// Where the open packet's last frame starts if that is a Done, so that a further one can join it.
    last_done: Option<usize>,
    pong: Option<[u8; 8]>,
}

impl Outbox {
    /// Of large items, `item_window` bytes are under way at most, and the last one beyond.
    pub(super) fn new(max_packet: usize, item_window: u64) -> Self {
        Self {
            max_packet,
            full: VecDeque::new(),
            open: OutPacket::default(),
            spare: None,
            taken: 0,
            bodies: VecDeque::new(),
            bodies_turn: false,
            line: VecDeque::new(),
            item_window,
            last_done: None,
            pong: None,
        }
    }

    /// Whether a frame with such a head and body fits into one packet.
    pub(super) fn fits(&self, head: usize, body: usize) -> bool {
        body <= self.largest(head)
    }

    /// The largest body that fits into one packet behind such a head.
    pub(super) fn largest(&self, head: usize) -> usize {
        self.max_packet - HEADER - head
    }

    /// Queues a frame that fits into a packet.
    pub(super) fn push(&mut self, frame: &OutFrame<'_>, body: Body) -> Mark {
        let mark = self.begin(frame, body.len());
        if body.len() >= GATHER {
            self.open.tail = body.into_bytes();
            self.seal();
        } else {
            self.open.head.extend_from_slice(body.as_ref());
        }
        mark
    }

    /// Queues a frame that fits into a packet, and whose body is copied.
    #[inline]
    pub(super) fn push_copy(&mut self, frame: &OutFrame<'_>, body: &[u8]) -> Mark {
        let mark = self.begin(frame, body.len());
        self.open.head.extend_from_slice(body);
        mark
    }

    /// Queues a frame whose body leaves in fragments; the head must end with the body's size.
    pub(super) fn push_large(&mut self, frame: &OutFrame<'_>, body: Body) {
        let size = body.len() as u64;
        let body = LargeBody {
            call: frame.call,
            kind: frame.kind,
            flags: frame.flags_with_extensions(),
            head: [frame.head, frame.extensions].concat(),
            deadline: frame.deadline,
            rest: body.into_bytes(),
            item: if frame.kind == Kind::Item { size } else { 0 },
            started: false,
            after: self.last_mark(),
        };
        if body.item > 0 {
            self.line.push_back(body);
            self.begin_items();
        } else {
            self.bodies.push_back(body);
        }
    }

    /// Says that a call is over without a result; joins the frame before it if that says the same of another.
    pub(super) fn push_done(&mut self, call: CallId) -> Mark {
        let mut pair = [0; 8];
        pair[..4].copy_from_slice(&call.slot.to_le_bytes());
        pair[4..].copy_from_slice(&call.generation.to_le_bytes());
        let Some(start) = self
            .last_done
            .filter(|_| self.open.len() + pair.len() <= self.max_packet)
        else {
            let none = CallId {
                slot: 0,
                generation: 0,
            };
            let frame = OutFrame {
                kind: Kind::Done,
                flags: 0,
                call: none,
                head: &[],
                extensions: &[],
                deadline: None,
            };
            return self.push(&frame, Body::copy_from(&pair));
        };
        self.open.head.extend_from_slice(&pair);
        let length = (self.open.head.len() - start - HEADER) as u32;
        self.open.head[start..start + 4].copy_from_slice(&length.to_le_bytes());
        self.open_mark()
    }

    /// Queues the answer to a ping. Only the last one is kept until the next packet leaves.
    pub(super) fn push_pong(&mut self, payload: [u8; 8]) {
        self.pong = Some(payload);
    }

    /// Takes a large body back out.
    pub(super) fn withdraw(&mut self, call: CallId, by_opener: bool) -> Withdrawn {
        let ours = |body: &LargeBody| body.call == call && (body.flags & OPENER != 0) == by_opener;
        if let Some(at) = self.line.iter().position(ours) {
            let waiting = self.line.remove(at);
            let size = waiting.map_or(0, |body| body.item);
            return Withdrawn::Unsent { size };
        }
        let Some(at) = self.bodies.iter().position(ours) else {
            return Withdrawn::Gone;
        };
        match self.bodies.remove(at) {
            Some(body) if body.started => Withdrawn::HalfSent,
            Some(body) => Withdrawn::Unsent {
                size: body.rest.len() as u64,
            },
            None => Withdrawn::Gone,
        }
    }

    /// Takes the next packet to send, and the call whose large body it ends.
    pub(super) fn take(&mut self, now: impl FnOnce() -> Instant) -> Option<(OutPacket, Option<StreamId>)> {
        if let Some(payload) = self.pong.take() {
            let none = CallId {
                slot: 0,
                generation: 0,
            };
            let frame = OutFrame {
                kind: Kind::Pong,
                flags: 0,
                call: none,
                head: &payload,
                extensions: &[],
                deadline: None,
            };
            self.push(&frame, Body::new());
        }
        self.begin_items();
        let small = !self.full.is_empty() || self.open.len() > 0;
        let next_body = self.bodies.front();
        let bodies_turn = self.bodies_turn && next_body.is_some_and(|body| self.has_left(body.after));
        if small && !bodies_turn {
            self.bodies_turn = true;
            return Some((self.take_small(now), None));
        }
        self.bodies_turn = false;
        self.take_fragment(now)
    }

    /// Gives a sent packet's buffer back.
    pub(super) fn recycle(&mut self, mut packet: OutPacket) {
        packet.clear();
        if self.spare.is_none() && packet.head.capacity() <= 2 * KEEP {
            self.spare = Some(packet);
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        let bodies = self.bodies.len() + self.line.len();
        self.full.is_empty() && self.open.len() == 0 && bodies == 0 && self.pong.is_none()
    }

    /// Whether the packet of that number was taken.
    pub(super) fn has_left(&self, mark: Mark) -> bool {
        mark.0 <= self.taken
    }

    fn open_mark(&self) -> Mark {
        Mark(self.taken + self.full.len() as u64 + 1)
    }

    /// The number of the last packet that has frames in it.
    fn last_mark(&self) -> Mark {
        Mark(self.taken + self.full.len() as u64 + u64::from(self.open.len() > 0))
    }

    /// Finds a place for a frame whose body is to be written next.
    #[inline]
    fn begin(&mut self, frame: &OutFrame<'_>, body: usize) -> Mark {
        let size = HEADER + frame.head_len() + body;
        if self.open.len() + size > self.max_packet {
            self.seal();
        }
        self.last_done = (frame.kind == Kind::Done).then_some(self.open.head.len());
        self.write_head(frame, body);
        self.open_mark()
    }

    #[inline]
    fn write_head(&mut self, frame: &OutFrame<'_>, body: usize) {
        let head = &mut self.open.head;
        if let Some(deadline) = frame.deadline {
            self.open
                .deadlines
                .push((head.len() + HEADER + REMAINING_AT, deadline));
        }
        let flags = frame.flags_with_extensions();
        head.extend_from_slice(&header(frame.kind, flags, frame.call, frame.head_len(), body));
        head.extend_from_slice(frame.head);
        head.extend_from_slice(frame.extensions);
    }

    fn seal(&mut self) {
        if self.open.len() > 0 {
            let sealed = self.take_open();
            self.full.push_back(sealed);
        }
    }

    /// Lets the items at the head of the line take turns, as far as the window has room for them.
    fn begin_items(&mut self) {
        while !self.line.is_empty() {
            let under_way = self.bodies.iter().map(|body| body.item).sum();
            if !may_begin(under_way, self.item_window) {
                return;
            }
            // The frame that told of the end of a withdrawn item must leave before the item that takes its place.
            let after = self.last_mark();
            let next = self.line.pop_front();
            self.bodies.extend(next.map(|body| LargeBody { after, ..body }));
        }
    }

    fn take_open(&mut self) -> OutPacket {
        self.last_done = None;
        let next = self.spare.take().unwrap_or_default();
        std::mem::replace(&mut self.open, next)
    }

    fn take_small(&mut self, now: impl FnOnce() -> Instant) -> OutPacket {
        let mut packet = self.full.pop_front().unwrap_or_else(|| self.take_open());
        self.taken += 1;
        packet.stamp(now);
        packet
    }

    fn take_fragment(&mut self, now: impl FnOnce() -> Instant) -> Option<(OutPacket, Option<StreamId>)> {
        let mut body = self.bodies.pop_front()?;
        let part = (self.max_packet - HEADER - body.head.len()).min(body.rest.len());
        let more = part < body.rest.len();
        let flags = if more {
            body.flags | MORE
        } else {
            body.flags & !MORE
        };
        let mut packet = self.spare.take().unwrap_or_default();
        packet
            .head
            .extend_from_slice(&header(body.kind, flags, body.call, body.head.len(), part));
        packet.head.extend_from_slice(&body.head);
        if let Some(deadline) = body.deadline.take() {
            packet.deadlines.push((HEADER + REMAINING_AT, deadline));
        }
        packet.tail = body.rest.split_to(part);
        packet.stamp(now);
        if !more {
            let opener = if body.flags & OPENER == 0 {
                Opener::Peer
            } else {
                Opener::ThisEnd
            };
            let sent = StreamId {
                opener,
                call: body.call,
            };
            return Some((packet, Some(sent)));
        }
        (body.kind, body.head, body.started) = (Kind::Fragment, Vec::new(), true);
        body.flags &= OPENER;
        self.bodies.push_back(body);
        Some((packet, None))
    }
}

fn header(kind: Kind, flags: u8, call: CallId, head: usize, body: usize) -> [u8; HEADER] {
    Header {
        // Head and body fit into a packet, so their sizes fit these fields.
        length: (head + body) as u32,
        kind: kind as u8,
        flags,
        head: head as u16,
        slot: call.slot,
        generation: call.generation,
    }
    .encode()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(kind: Kind, generation: u32, head: &[u8]) -> OutFrame<'_> {
        let call = CallId { slot: 0, generation };
        OutFrame {
            kind,
            flags: OPENER,
            call,
            head,
            extensions: &[],
            deadline: None,
        }
    }

    #[test]
    fn a_large_body_does_not_overtake_the_cancel_of_its_slot() {
        let mut outbox = Outbox::new(100, 0);
        outbox.bodies_turn = true;
        outbox.push(&frame(Kind::Cancel, 1, &[]), Body::new());
        outbox.push_large(&frame(Kind::Request, 2, &[0; 36]), vec![0; 200].into());
        let kinds = std::iter::from_fn(|| outbox.take(Instant::now).map(|(packet, _)| packet.head[4]));
        let kinds: Vec<u8> = kinds.take(2).collect();
        assert_eq!(kinds, [Kind::Cancel as u8, Kind::Request as u8]);
    }

    #[test]
    fn a_large_item_does_not_overtake_the_cancel_of_the_one_before_it_in_line() {
        let mut outbox = Outbox::new(100, 0);
        outbox.push_large(&frame(Kind::Item, 1, &[0; 8]), vec![0; 200].into());
        outbox.push_large(&frame(Kind::Item, 2, &[0; 8]), vec![0; 200].into());
        let next = |outbox: &mut Outbox| {
            let (packet, _) = outbox.take(Instant::now).unwrap();
            packet.head[4]
        };
        assert_eq!(next(&mut outbox), Kind::Item as u8);
        let call = CallId {
            slot: 0,
            generation: 1,
        };
        assert!(matches!(outbox.withdraw(call, true), Withdrawn::HalfSent));
        outbox.push(&frame(Kind::Cancel, 1, &[]), Body::new());
        outbox.bodies_turn = true;
        assert_eq!(next(&mut outbox), Kind::Cancel as u8);
        assert_eq!(next(&mut outbox), Kind::Item as u8);
    }
}
