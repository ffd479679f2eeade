//! Frames on their way out, put together into packets. Bodies larger than a packet take turns, and are in `large`.
//!
//! Small frames leave in the order they came, many in one packet. A body that does not fit waits in a line of its own,
//! a fragment at a time, alternating with the packets of small frames; so a control frame may overtake another call's
//! body, and never a frame of its own call.

mod frame;
mod large;
mod packet;

pub use packet::OutPacket;

use std::collections::VecDeque;
use std::mem;
use std::time::Instant;

use super::call::REMAINING_AT;
use super::items::StreamId;
use super::wire::{HEADER, Header, Kind};
use super::{Body, CallId};

pub(super) use frame::OutFrame;
use large::LargeBody;
pub(super) use large::Withdrawn;
use packet::Deadline;

/// Bodies from this size on are sent from where they are; smaller ones are copied into the packet.
const GATHER: usize = 4096;

/// What an idle outbox keeps of its buffers, in bytes.
const KEEP: usize = 4096;

/// The number of the packet that a frame leaves in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Mark(u64);

pub(super) struct Outbox {
    max_packet: usize,
    full: VecDeque<(OutPacket, Vec<Deadline>)>,
    /// Has small frames only: one with a body that is not copied is full at once.
    open: OutPacket,
    open_deadlines: Vec<Deadline>,
    open_mark: Mark,
    /// How many frames the open packet has.
    open_frames: usize,
    /// A buffer to go on with, if one was given back.
    spare: OutPacket,
    /// Packets of small frames taken so far.
    taken: u64,
    bodies: VecDeque<LargeBody>,
    /// Whose large body the packet that was taken last has ended.
    sent: Option<StreamId>,
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
            open_deadlines: Vec::new(),
            open_mark: Mark(1),
            open_frames: 0,
            spare: OutPacket::default(),
            taken: 0,
            bodies: VecDeque::new(),
            sent: None,
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

    /// Queues a frame that fits into a packet. Always in place: the size of the head is known there, which is 40 instructions
    /// of a call at each end.
    #[inline(always)]
    pub(super) fn push(&mut self, frame: &OutFrame<'_>, mut body: Body) -> Mark {
        self.push_from(frame, &mut body)
    }

    /// The same, and takes the body only if it is not copied.
    #[inline(always)]
    pub(super) fn push_from(&mut self, frame: &OutFrame<'_>, body: &mut Body) -> Mark {
        if body.len() < GATHER {
            self.push_copy(frame, body.as_ref())
        } else {
            self.push_gathered(frame, mem::take(body))
        }
    }

    /// Queues a frame that fits into a packet, and whose body is copied.
    #[inline(always)]
    pub(super) fn push_copy(&mut self, frame: &OutFrame<'_>, body: &[u8]) -> Mark {
        self.begin(frame, body.len());
        self.open.head.extend_from_slice(body);
        self.open_mark
    }

    /// Queues a frame without a body.
    #[inline(never)]
    pub(super) fn push_bare(&mut self, frame: &OutFrame<'_>) -> Mark {
        self.push_copy(frame, &[])
    }

    #[inline(never)]
    fn push_gathered(&mut self, frame: &OutFrame<'_>, body: Body) -> Mark {
        self.begin(frame, body.len());
        let mark = self.open_mark;
        self.open.tail = Some(body.into_bytes());
        self.seal();
        mark
    }

    /// Says that a call is over without a result; joins the frame before it if that says the same of another.
    pub(super) fn push_done(&mut self, call: CallId) -> Mark {
        let mut pair = [0; 8];
        pair[..4].copy_from_slice(&call.slot.to_le_bytes());
        pair[4..].copy_from_slice(&call.generation.to_le_bytes());
        let Some(start) = self
            .last_done
            .filter(|_| self.open.head.len() + pair.len() <= self.max_packet)
        else {
            return self.push_copy(&OutFrame::plain(Kind::Done, &[]), &pair);
        };
        self.open.head.extend_from_slice(&pair);
        let length = (self.open.head.len() - start - HEADER) as u32;
        self.open.head[start..start + 4].copy_from_slice(&length.to_le_bytes());
        self.open_mark
    }

    /// Queues the answer to a ping. Only the last one is kept until the next packet leaves.
    pub(super) fn push_pong(&mut self, payload: [u8; 8]) {
        self.pong = Some(payload);
    }

    /// Takes the next packet to send.
    #[inline]
    pub(super) fn take(&mut self, now: impl FnOnce() -> Instant) -> Option<OutPacket> {
        if let Some(payload) = self.pong.take() {
            self.push_bare(&OutFrame::plain(Kind::Pong, &payload));
        }
        self.begin_items();
        let small = !self.full.is_empty() || !self.open.head.is_empty();
        let next_body = self.bodies.front();
        let bodies_turn = self.bodies_turn && next_body.is_some_and(|body| self.has_left(body.after));
        if small && !bodies_turn {
            self.bodies_turn = true;
            return Some(self.take_small(now));
        }
        self.bodies_turn = false;
        self.take_fragment(now)
    }

    /// Whose large body the packet that was just taken ends.
    #[inline]
    pub(super) fn take_sent(&mut self) -> Option<StreamId> {
        self.sent.take()
    }

    /// Gives a sent packet's buffer back.
    #[inline]
    pub(super) fn recycle(&mut self, mut packet: OutPacket) {
        packet.clear();
        if packet.head.capacity() > 2 * KEEP {
            return;
        }
        if self.open.head.capacity() == 0 {
            // A lone caller always writes into the same buffer.
            self.open = packet;
        } else if self.spare.head.capacity() == 0 {
            self.spare = packet;
        }
    }

    /// Whether a packet is full, or has that many frames.
    pub(super) fn has_gathered(&self, frames: usize) -> bool {
        self.open_frames >= frames || !self.full.is_empty()
    }

    #[inline]
    pub(super) fn is_empty(&self) -> bool {
        let bodies = self.bodies.len() + self.line.len();
        self.full.is_empty() && self.open.head.is_empty() && bodies == 0 && self.pong.is_none()
    }

    /// Whether the packet of that number was taken.
    pub(super) fn has_left(&self, mark: Mark) -> bool {
        mark.0 <= self.taken
    }

    /// The number of the last packet that has frames in it.
    fn last_mark(&self) -> Mark {
        Mark(self.open_mark.0 - u64::from(self.open.head.is_empty()))
    }

    /// Finds a place for a frame whose body is to be written next, and writes what stands before that.
    #[inline(always)]
    fn begin(&mut self, frame: &OutFrame<'_>, body: usize) {
        let (head, flags) = (frame.head_len(), frame.flags_with_extensions());
        if self.open.head.len() + HEADER + head + body > self.max_packet {
            self.seal();
        }
        self.open_frames += 1;
        let packet = &mut self.open.head;
        self.last_done = (frame.kind == Kind::Done).then_some(packet.len());
        if let Some(deadline) = frame.deadline {
            let at = packet.len() + HEADER + REMAINING_AT;
            self.open_deadlines.push((at, deadline));
        }
        packet.extend_from_slice(&header(frame.kind, flags, frame.call, head, body));
        packet.extend_from_slice(frame.head);
        if !frame.extensions.is_empty() {
            packet.extend_from_slice(frame.extensions);
        }
    }

    #[inline(never)]
    fn seal(&mut self) {
        if !self.open.head.is_empty() {
            let deadlines = mem::take(&mut self.open_deadlines);
            let sealed = self.take_open();
            self.full.push_back((sealed, deadlines));
        }
    }

    #[inline]
    fn take_open(&mut self) -> OutPacket {
        self.last_done = None;
        self.open_mark.0 += 1;
        self.open_frames = 0;
        let packet = mem::take(&mut self.open);
        // A lone caller has none.
        if self.spare.head.capacity() > 0 {
            mem::swap(&mut self.open, &mut self.spare);
        }
        packet
    }

    #[inline]
    fn take_small(&mut self, now: impl FnOnce() -> Instant) -> OutPacket {
        self.taken += 1;
        if let Some((mut packet, deadlines)) = self.full.pop_front() {
            packet.stamp(&deadlines, now);
            return packet;
        }
        self.open.stamp(&self.open_deadlines, now);
        self.open_deadlines.clear();
        self.take_open()
    }
}

#[inline]
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
