//! The protocol's state over one pipe, the same at both ends.

use std::collections::VecDeque;
use std::time::Instant;

use super::agreed::{Agreed, Limits};
use super::body_limits::MethodLimits;
use super::call::Ending;
use super::event::Event;
use super::goodbyes::Farewell;
use super::incoming::Incoming;
use super::items::StreamId;
use super::keeping::Keeping;
use super::landings::Turns;
use super::outbox::{Mark, OutFrame, OutPacket, Outbox};
use super::outgoing::{Abandoned, Outgoing};
use super::under_way::UnderWay;
use super::wire::Kind;

/// The protocol's state over one pipe, from the handshake on. Either end may call the other.
///
/// Input goes in by `handle_*`, what this end wants by the other commands; packets come out of [`Self::take_packet`],
/// events out of [`Self::poll_event`]. After a [`ProtocolError`](super::ProtocolError) only packets may still be taken.
///
/// The fields lie in this order: a call of a connection that is one of many finds each line of memory cold, so what all calls
/// look at is side by side, here and in what is within.
#[repr(C)]
pub struct Connection {
    pub(super) keeping: Keeping,
    /// The packet that tells the peer what it did wrong.
    pub(super) report: Option<Mark>,
    /// Large items of the peer's that are half there.
    pub(super) under_way: UnderWay,
    pub(super) outbox: Outbox,
    pub(super) incoming: Incoming,
    pub(super) outgoing: Outgoing,
    pub(super) events: VecDeque<Event>,
    /// Streams whose senders are to be told of credit.
    pub(super) owed: Vec<StreamId>,
    /// Streams from this end whose items fill the outbox, and the packet that each waits for.
    pub(super) held: Vec<(Mark, StreamId)>,
    /// The large bodies that are arriving.
    pub(super) turns: Turns,
    pub(super) agreed: Agreed,
    /// How many bytes of large request bodies the peer knows that it was granted.
    pub(super) credit_told: u64,
    /// Calls of depth 0 are refused.
    pub(super) draining: bool,
    pub(super) farewell: Farewell,
    pub(super) peer_said_farewell: bool,
    /// The peer's farewell is to be acknowledged, when all else has left.
    pub(super) ack_due: bool,
}

impl Connection {
    /// The state after a handshake that led to `agreed`.
    #[must_use]
    pub fn new(agreed: Agreed) -> Self {
        Self {
            agreed,
            outgoing: Outgoing::new(agreed.received),
            incoming: Incoming::new(agreed.granted),
            under_way: UnderWay::new(agreed.granted.window),
            outbox: Outbox::new(agreed.max_packet, agreed.received.window),
            // An answer is two events, and few connections ever have more of them at once.
            events: VecDeque::with_capacity(2),
            draining: false,
            farewell: Farewell::Unsaid,
            peer_said_farewell: false,
            ack_due: false,
            credit_told: agreed.granted.window,
            owed: Vec::new(),
            held: Vec::new(),
            turns: Turns::default(),
            keeping: Keeping::default(),
            report: None,
        }
    }

    /// Some methods of this end have limits of their own for the size of bodies.
    pub fn set_method_limits(&mut self, limits: MethodLimits) {
        self.incoming.set_method_limits(limits);
    }

    /// The time has come that [`Self::next_timeout`] told.
    pub fn handle_timeout(&mut self, now: Instant) {
        self.keeping.handle_timeout(now);
        for call in self.outgoing.overdue(now) {
            let unsent = self.abandon(call) == Abandoned::Withdrawn;
            let ending = Ending::DeadlinePassed { unsent };
            // What was withdrawn has told by itself that its slot is free.
            let is_free = false;
            self.events.push_back(Event::Ended {
                call,
                ending,
                is_free,
            });
        }
        for call in self.incoming.overdue(now) {
            if self.incoming.is_receiving(call) {
                self.events.push_back(Event::Withdrawn(call));
            }
            if self.incoming.expire(call, &mut self.outbox) {
                self.events.push_back(Event::Interrupted(call));
            }
        }
    }

    /// Asks the peer for a sign of life; it comes as [`Event::Pong`].
    pub fn ping(&mut self, payload: u64) {
        self.outbox
            .push_bare(&OutFrame::plain(Kind::Ping, &payload.to_le_bytes()));
    }

    /// The next packet to send; what is left of deadlines is reckoned from `now`, which is asked only if there are any.
    pub fn take_packet(&mut self, now: impl FnOnce() -> Instant) -> Option<OutPacket> {
        if self.owes_frames() {
            self.push_owed_frames();
        }
        let packet = self.outbox.take(now);
        if let Some(body) = self.outbox.take_sent() {
            self.on_body_sent(body);
        }
        if !self.held.is_empty() {
            self.release_held();
        }
        packet
    }

    /// Gives a sent packet back, for its buffer.
    #[inline]
    pub fn recycle(&mut self, packet: OutPacket) {
        self.outbox.recycle(packet);
    }

    /// The next thing that somebody has to know.
    #[inline]
    pub fn poll_event(&mut self) -> Option<Event> {
        self.events.pop_front()
    }

    /// When [`Self::handle_timeout`] is to be called, at the latest.
    #[must_use]
    pub fn next_timeout(&self) -> Option<Instant> {
        let deadlines = [self.outgoing.next_deadline(), self.incoming.next_deadline()];
        deadlines
            .into_iter()
            .chain([self.keeping.next_timeout()])
            .flatten()
            .min()
    }

    /// Whether [`Self::take_packet`] has something to give.
    #[must_use]
    #[inline]
    pub fn has_output(&self) -> bool {
        !self.outbox.is_empty() || self.owes_frames()
    }

    /// Whether a packet of small frames is full, or has that many of them.
    #[must_use]
    pub fn has_gathered(&self, frames: usize) -> bool {
        self.outbox.has_gathered(frames)
    }

    /// What the peer granted this end at the handshake.
    #[must_use]
    pub fn received(&self) -> &Limits {
        &self.agreed.received
    }

    /// How many bytes of large request bodies this end may send now.
    #[must_use]
    pub fn window_left(&self) -> u64 {
        self.outgoing.window_left()
    }

    /// The largest body the peer takes, in bytes, of methods without a limit of their own.
    #[must_use]
    #[inline]
    pub fn max_body(&self) -> u64 {
        self.outgoing.max_body()
    }

    /// How many nested calls the peer lets this end have open.
    #[must_use]
    pub fn max_nested(&self) -> u32 {
        self.agreed.received.max_nested
    }

    /// Whether there are frames that are not queued before a packet is taken.
    #[inline]
    fn owes_frames(&self) -> bool {
        self.is_credit_due() || !self.owed.is_empty() || self.ack_due || self.farewell == Farewell::Due
    }

    #[cold]
    fn push_owed_frames(&mut self) {
        if self.is_credit_due() {
            self.credit_told = self.incoming.granted();
            let granted = self.credit_told.to_le_bytes();
            self.outbox.push_bare(&OutFrame::plain(Kind::Credit, &granted));
        }
        self.push_owed();
        if self.ack_due && self.outbox.is_empty() {
            self.ack_due = false;
            self.outbox.push_bare(&OutFrame::plain(Kind::FarewellAck, &[]));
        }
        if self.farewell == Farewell::Due && self.outbox.is_empty() {
            self.farewell = Farewell::Said;
            self.outbox.push_bare(&OutFrame::plain(Kind::Farewell, &[]));
        }
    }

    /// Whether credit went back, by whatever way a body's call came to its handler or its end.
    fn is_credit_due(&self) -> bool {
        self.incoming.granted() != self.credit_told
    }
}
