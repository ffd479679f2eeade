//! What must hold of the streams of one end.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use pipe_rpc_core::proto::{Body, CallId, Ending, ItemsEnd, Opener, Room, StreamId, cost};

use super::support::pair::{End, pattern};

/// A call, and whether it is this end's.
pub type Key = (bool, CallId);

/// The streams of one end, as they must be.
#[derive(Default)]
pub struct Streams {
    pub sending: BTreeMap<Key, Sending>,
    pub reading: BTreeMap<Key, Reading>,
    /// Who was told that there is no room, and has heard nothing since.
    pub full: BTreeSet<Key>,
    /// How the streams that this end has ended did: how many items, and the status.
    ended: BTreeMap<Key, (usize, u8)>,
}

/// A stream from this end.
pub struct Sending {
    credit: u64,
    charged: u64,
    count: usize,
}

/// A stream to this end.
pub struct Reading {
    credit: u64,
    taken: u64,
    count: usize,
    held: VecDeque<u64>,
}

pub fn id((ours, call): Key) -> StreamId {
    let opener = if ours { Opener::ThisEnd } else { Opener::Peer };
    StreamId { opener, call }
}

pub fn key(id: StreamId) -> Key {
    (id.opener == Opener::ThisEnd, id.call)
}

/// What the other end calls it.
fn mirrored((ours, call): Key) -> Key {
    (!ours, call)
}

/// The bytes of an item tell their stream and their place in it.
fn content((ours, call): Key, by_sender: bool, index: usize, size: usize) -> &'static [u8] {
    let salt: usize = call.to_string().bytes().map(usize::from).sum();
    let by_caller = ours == by_sender;
    pattern(salt * 13 + usize::from(by_caller) * 100 + index, size)
}

impl Streams {
    pub fn send_from(&mut self, key: Key, credit: u64) {
        self.full.remove(&key);
        let sending = Sending {
            credit,
            charged: 0,
            count: 0,
        };
        assert!(self.sending.insert(key, sending).is_none());
    }

    pub fn read_from(&mut self, key: Key, credit: u64) {
        let reading = Reading {
            credit,
            taken: 0,
            count: 0,
            held: VecDeque::new(),
        };
        assert!(self.reading.insert(key, reading).is_none());
    }

    /// No stream of the call goes on at this end.
    pub fn forget(&mut self, key: Key) {
        self.sending.remove(&key);
        self.reading.remove(&key);
        self.full.remove(&key);
    }

    /// Sends items as long as there is room.
    pub fn send(&mut self, end: &mut End, key: Key, sizes: &[usize], other: &Self) {
        for size in sizes {
            let Some(sending) = self.sending.get_mut(&key) else {
                return;
            };
            match end.proto.room(id(key)) {
                Room::Open(left) => {
                    let taken = other.reading.get(&mirrored(key)).map(|reading| reading.taken);
                    // A reader that was there and is gone may have taken everything.
                    let taken = taken.unwrap_or(sending.charged);
                    let most = (sending.credit + taken).saturating_sub(sending.charged);
                    assert!(left <= most, "{left} bytes of credit, {most} were granted");
                    let item = content(key, true, sending.count, *size);
                    assert!(end.proto.send_item(id(key), Body::copy_from(item)));
                    sending.charged += cost(*size);
                    sending.count += 1;
                }
                Room::Full => {
                    self.full.insert(key);
                    return;
                }
                Room::Stopped | Room::Over => return,
            }
        }
    }

    /// The stream is ended by this end.
    pub fn end(&mut self, key: Key, status: u8) {
        if let Some(sending) = self.sending.remove(&key) {
            self.ended.insert(key, (sending.count, status));
        }
        self.full.remove(&key);
    }

    /// Whoever waits for room is told when there is some.
    pub fn check_room(&mut self, end: &mut End) {
        for key in &self.full {
            let room = end.proto.room(id(*key));
            assert_eq!(room, Room::Full, "{} waits and was not told", key.1);
        }
    }

    pub fn on_item(&mut self, key: Key, item: &Body) {
        let reading = self.reading.get_mut(&key).expect("somebody reads it");
        let wanted = content(key, false, reading.count, item.len());
        assert!(item.as_ref() == wanted, "item {} of {}", reading.count, key.1);
        let held: u64 = reading.held.iter().sum();
        assert!(
            held < reading.credit,
            "{held} bytes are held and the credit is {}",
            reading.credit
        );
        reading.held.push_back(cost(item.len()));
        reading.count += 1;
    }

    /// Reads items that came.
    pub fn take(&mut self, end: &mut End, key: Key, count: usize) {
        let Some(reading) = self.reading.get_mut(&key) else {
            return;
        };
        let count = count.min(reading.held.len());
        let taken: u64 = reading.held.drain(..count).sum();
        reading.taken += taken;
        if taken > 0 {
            end.proto.take_items(id(key), taken);
        }
    }

    /// The other end has ended the stream: it had sent as many items as have come.
    pub fn on_end(&mut self, key: Key, status: u8, other: &Self) {
        let reading = self.reading.remove(&key).expect("somebody reads it");
        let sent = other.ended.get(&mirrored(key));
        assert_eq!(sent, Some(&(reading.count, status)), "the stream of {}", key.1);
    }

    /// What was taken came back as credit, but for less than half of what the stream began with.
    pub fn check_credit(&self, end: &mut End, other: &Self) {
        for (key, sending) in &self.sending {
            if !other.reading.contains_key(&mirrored(*key)) {
                continue;
            }
            let room = end.proto.room(id(*key));
            let Room::Open(left) = room else {
                assert!(
                    matches!(room, Room::Over | Room::Stopped),
                    "{room:?} for {}",
                    key.1
                );
                continue;
            };
            let half = (sending.credit / 2).max(1);
            let lost = sending.credit - left.min(sending.credit);
            assert!(
                left <= sending.credit && lost < half,
                "{left} of {} for {}",
                sending.credit,
                key.1
            );
        }
    }
}

pub fn status_of_end(end: &ItemsEnd) -> u8 {
    match end {
        ItemsEnd::Complete => 0,
        ItemsEnd::Failed(_) => 1,
        ItemsEnd::Faulted(_) => 2,
    }
}

/// `None`: the stream was not ended by who sent it.
pub fn status_of_ending(ending: &Ending) -> Option<u8> {
    match ending {
        Ending::StreamEnded => Some(0),
        Ending::Failed(_) => Some(1),
        Ending::Faulted(_) => Some(2),
        Ending::DeadlinePassed { .. } => None,
        other => panic!("{other:?} ends no stream"),
    }
}
