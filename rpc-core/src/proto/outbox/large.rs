//! Bodies larger than a packet, which take turns.

use std::mem;
use std::time::Instant;

use bytes::Bytes;

use super::super::call::REMAINING_AT;
use super::super::items::{Opener, StreamId};
use super::super::under_way::may_begin;
use super::super::wire::{HEADER, Kind, MORE, OPENER};
use super::super::{Body, CallId};
use super::{Mark, OutFrame, OutPacket, Outbox, header};

/// A body that leaves in fragments.
pub(super) struct LargeBody {
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
    pub(super) after: Mark,
}

/// What [`Outbox::withdraw`] found of a large body.
pub(in crate::proto) enum Withdrawn {
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

impl Outbox {
    /// Queues a frame whose body leaves in fragments; the head must end with the body's size.
    pub(in crate::proto) fn push_large(&mut self, frame: &OutFrame<'_>, body: Body) {
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

    /// Takes a large body back out.
    pub(in crate::proto) fn withdraw(&mut self, call: CallId, by_opener: bool) -> Withdrawn {
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

    /// Lets the items at the head of the line take turns, as far as the window has room for them.
    pub(super) fn begin_items(&mut self) {
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

    pub(super) fn take_fragment(&mut self, now: impl FnOnce() -> Instant) -> Option<OutPacket> {
        let mut body = self.bodies.pop_front()?;
        let part = (self.max_packet - HEADER - body.head.len()).min(body.rest.len());
        let more = part < body.rest.len();
        let flags = if more {
            body.flags | MORE
        } else {
            body.flags & !MORE
        };
        let mut packet = mem::take(&mut self.spare);
        packet
            .head
            .extend_from_slice(&header(body.kind, flags, body.call, body.head.len(), part));
        packet.head.extend_from_slice(&body.head);
        packet.tail = Some(body.rest.split_to(part));
        if let Some(deadline) = body.deadline.take() {
            packet.stamp(&[(HEADER + REMAINING_AT, deadline)], now);
        }
        if !more {
            let opener = if body.flags & OPENER == 0 {
                Opener::Peer
            } else {
                Opener::ThisEnd
            };
            self.sent = Some(StreamId {
                opener,
                call: body.call,
            });
            return Some(packet);
        }
        (body.kind, body.head, body.started) = (Kind::Fragment, Vec::new(), true);
        body.flags &= OPENER;
        self.bodies.push_back(body);
        Some(packet)
    }
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
        let kinds = std::iter::from_fn(|| outbox.take(Instant::now).map(|packet| packet.head[4]));
        let kinds: Vec<u8> = kinds.take(2).collect();
        assert_eq!(kinds, [Kind::Cancel as u8, Kind::Request as u8]);
    }

    #[test]
    fn a_large_item_does_not_overtake_the_cancel_of_the_one_before_it_in_line() {
        let mut outbox = Outbox::new(100, 0);
        outbox.push_large(&frame(Kind::Item, 1, &[0; 8]), vec![0; 200].into());
        outbox.push_large(&frame(Kind::Item, 2, &[0; 8]), vec![0; 200].into());
        let next = |outbox: &mut Outbox| {
            let packet = outbox.take(Instant::now).unwrap();
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
