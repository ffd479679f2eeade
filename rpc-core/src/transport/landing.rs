//! Where the body in the next packet may be received to, so that it need not be copied there.

use super::Packet;

/// Memory behind the part of a body that is already there, for the part that the next packet most likely brings.
///
/// A transport that can receives a packet in three pieces: the first [`skip`](Self::skip) bytes into the packet, up to
/// [`room`](Self::room) bytes to the end of the memory, the rest into the packet again, where it belongs. The packet then
/// has a gap of as many bytes as landed, whose bytes mean nothing until they are [put back](Self::put_back).
#[derive(Debug)]
pub struct Landing {
    bytes: Vec<u8>,
    before: usize,
    skip: usize,
    room: usize,
}

impl Landing {
    /// A landing for `room` bytes behind `bytes`, and behind `skip` bytes of the packet.
    #[must_use]
    pub fn new(mut bytes: Vec<u8>, skip: usize, room: usize) -> Self {
        bytes.reserve(room);
        Self {
            before: bytes.len(),
            bytes,
            skip,
            room,
        }
    }

    /// How many bytes of the packet come before those that may land.
    #[must_use]
    pub fn skip(&self) -> usize {
        self.skip
    }

    /// How many bytes may land.
    #[must_use]
    pub fn room(&self) -> usize {
        self.room
    }

    /// The memory: what lands is appended, at most [`room`](Self::room) bytes, for which capacity is there.
    pub fn bytes_mut(&mut self) -> &mut Vec<u8> {
        &mut self.bytes
    }

    /// Lets a packet land that was received whole, for transports that have no other way to receive.
    pub fn land(&mut self, packet: &mut Packet) {
        let end = packet.len().min(self.skip + self.room);
        let Some(part) = packet.get(self.skip..end) else {
            return;
        };
        self.bytes.extend_from_slice(part);
        packet.wipe(self.skip..end);
    }

    /// How many bytes have landed.
    #[must_use]
    pub fn landed(&self) -> usize {
        self.bytes.len() - self.before
    }

    /// Keeps the first `kept` bytes of what has landed, and puts the others into the packet, to where they belong.
    ///
    /// # Panics
    /// If the packet is too short to be the one they landed from.
    pub fn put_back(&mut self, kept: usize, packet: &mut Packet) {
        if kept < self.landed() {
            let end = self.before + kept;
            packet.write(self.skip + kept, &self.bytes[end..]);
            self.bytes.truncate(end);
        }
    }

    /// The body so far, with what has landed.
    pub(crate) fn into_bytes(self) -> Vec<u8> {
        self.bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_does_not_belong_is_put_back() {
        for kept in 0..=3 {
            let mut landing = Landing::new(b"body".to_vec(), 2, 3);
            let mut packet = Packet::copy_from(b"abcdefg");
            landing.land(&mut packet);
            assert_eq!(landing.landed(), 3);
            assert_eq!((&packet[..2], &packet[5..]), (&b"ab"[..], &b"fg"[..]));
            assert_ne!(packet[2..5], *b"cde");
            landing.put_back(kept, &mut packet);
            assert_eq!(&packet[..2], b"ab");
            assert_eq!(packet[2 + kept..], b"abcdefg"[2 + kept..]);
            assert_eq!(landing.into_bytes(), [b"body", &b"cde"[..kept]].concat());
        }
    }

    #[test]
    fn short_packets_land_as_far_as_they_go() {
        for (packet, landed) in [("a", 0), ("ab", 0), ("abc", 1), ("abcdefgh", 3)] {
            let mut landing = Landing::new(Vec::new(), 2, 3);
            let mut packet = Packet::copy_from(packet.as_bytes());
            let whole = packet.to_vec();
            landing.land(&mut packet);
            assert_eq!(landing.landed(), landed);
            landing.put_back(0, &mut packet);
            assert_eq!(*packet, whole);
        }
    }
}
