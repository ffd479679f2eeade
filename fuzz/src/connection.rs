//! Two ends that do whatever the input says. While both are honest no error comes, every call ends once at both ends, no
//! item is lost and all credit returns; a packet that was changed on its way, or made up, leads to an error or to nothing.

use std::collections::VecDeque;

use arbitrary::{Result, Unstructured};
use pipe_rpc_core::proto::{Limits, Opener, StreamId};

use super::side::{METHODS, SERVICE, Side, VERY_LARGE};
use super::{commands, made};

const SMALL: Limits = Limits {
    max_calls: 2,
    max_nested: 1,
    window: 10_000,
    max_body: 20_000,
    stream: 2000,
};

/// What an end grants.
pub const LIMITS: [Limits; 4] = [
    SMALL,
    Limits {
        max_calls: 1,
        max_nested: 0,
        window: 1,
        stream: 1,
        ..SMALL
    },
    Limits {
        max_calls: 4,
        max_nested: 2,
        window: 100_000,
        stream: 400_000,
        max_body: VERY_LARGE as u64,
    },
    Limits {
        max_calls: 3,
        stream: 0,
        ..SMALL
    },
];

/// The first byte chooses what each end grants, the transport, and whether both are honest; then come things to do.
pub fn run(input: &[u8]) {
    let mut u = Unstructured::new(input);
    let grants = u.arbitrary::<u8>().unwrap_or_default();
    let [left, right] = [grants, grants >> 2].map(|which| LIMITS[usize::from(which % 4)]);
    let mut pair = Pair {
        ends: [(left, right), (right, left)].map(|(mine, theirs)| Side::new(mine, theirs, grants >> 4)),
        made_up: made::Peer::new(SERVICE, &METHODS),
        on_the_way: [VecDeque::new(), VecDeque::new()],
        are_honest: grants < 160,
        is_over: false,
    };
    while !u.is_empty() && !pair.is_over && pair.step(&mut u).is_ok() {}
    if !pair.is_over && pair.ends[0].peer_is_honest {
        pair.come_to_rest();
    }
}

struct Pair {
    ends: [Side; 2],
    /// Packets to each end.
    on_the_way: [VecDeque<Vec<u8>>; 2],
    /// Makes packets up, where they are not honest.
    made_up: made::Peer<'static>,
    /// No packet is changed or made up.
    are_honest: bool,
    is_over: bool,
}

impl Pair {
    fn step(&mut self, u: &mut Unstructured<'_>) -> Result<()> {
        let what = u.arbitrary::<u8>()?;
        let (me, other) = (usize::from(what & 1), usize::from(what & 1 ^ 1));
        match what >> 1 {
            0..40 => self.send(me, usize::from(what >> 3) + 1),
            40..84 => self.receive(me, usize::from((what >> 1) - 40) / 4 + 1),
            84..120 => commands::act(&mut self.ends[me], u)?,
            120..126 => self.carry(me),
            _ if self.are_honest => commands::act(&mut self.ends[me], u)?,
            126 => {
                let packet = self.made_up.packet(u)?;
                self.make_up(other, packet);
            }
            _ => self.change(other, u)?,
        }
        self.compare();
        Ok(())
    }

    /// Carries all there is to the other end and back.
    fn carry(&mut self, me: usize) {
        for from in [me, me ^ 1] {
            self.send(from, usize::MAX);
            if !self.is_over {
                self.receive(from ^ 1, usize::MAX);
            }
        }
    }

    fn send(&mut self, me: usize, most: usize) {
        for _ in 0..most {
            let Some(packet) = self.ends[me].take() else {
                return;
            };
            self.on_the_way[me ^ 1].push_back(packet);
        }
    }

    fn receive(&mut self, me: usize, most: usize) {
        for _ in 0..most {
            let Some(packet) = self.on_the_way[me].pop_front() else {
                return;
            };
            let end = &mut self.ends[me];
            if let Err(error) = end.hear(&packet) {
                end.proto.report(&error);
                while end.take().is_some() {}
                assert!(end.proto.has_reported());
                self.is_over = true;
            }
            if self.is_over || self.ends[me].acknowledged {
                self.is_over = true;
                return;
            }
        }
    }

    fn make_up(&mut self, to: usize, packet: Vec<u8>) {
        self.distrust();
        self.on_the_way[to].push_back(packet);
    }

    fn change(&mut self, to: usize, u: &mut Unstructured<'_>) -> Result<()> {
        let [at, byte] = u.arbitrary::<[u8; 2]>()?;
        if let Some(packet) = self.on_the_way[to].back_mut().filter(|packet| !packet.is_empty()) {
            let at = usize::from(at) % packet.len();
            packet[at] ^= byte;
            self.distrust();
        }
        Ok(())
    }

    /// From here on neither end can count on the other.
    fn distrust(&mut self) {
        self.ends.iter_mut().for_each(|end| end.peer_is_honest = false);
    }

    /// A stream that came whole has as many items as were sent.
    fn compare(&mut self) {
        for me in 0..2 {
            for (id, came) in std::mem::take(&mut self.ends[me].complete) {
                let there = StreamId {
                    opener: match id.opener {
                        Opener::ThisEnd => Opener::Peer,
                        Opener::Peer => Opener::ThisEnd,
                    },
                    ..id
                };
                let sent = self.ends[me ^ 1].sent.get(&there).copied().unwrap_or_default();
                assert!(
                    !self.ends[me].peer_is_honest || sent == came,
                    "{came} of {sent} items"
                );
            }
        }
    }

    /// Everything ends, at both ends, and all that was granted may be used again.
    fn come_to_rest(&mut self) {
        let mut rounds = 0;
        while !self.is_idle() {
            for me in 0..2 {
                commands::finish(&mut self.ends[me]);
                self.send(me, usize::MAX);
                self.receive(me, usize::MAX);
                self.compare();
                if self.is_over {
                    return;
                }
            }
            rounds += 1;
            assert!(rounds < 100, "it comes to rest");
        }
        for end in &mut self.ends {
            assert!(end.waiting.is_empty() && end.taken.is_empty() && end.running.is_empty());
            assert_eq!(end.proto.window_left(), end.proto.received().window);
            end.pass(commands::LONG);
            assert!(!end.proto.has_output() && end.proto.next_timeout().is_none());
        }
    }

    fn is_idle(&self) -> bool {
        let is_idle = |end: &Side| {
            let open = end.proto.outgoing_open() + end.proto.incoming_open();
            open == 0 && !end.proto.has_output()
        };
        self.on_the_way.iter().all(VecDeque::is_empty) && self.ends.iter().all(is_idle)
    }
}
