//! Puts one message together from the reads it took, under the hard limit.

use std::ops::Range;

use rpc_core::transport::Packet;

use super::buffer::Buffer;
use super::fate::Fate;
use super::operation_unsafe::Outcome;

/// How much of a message is there.
pub(super) struct Assembly {
    filled: usize,
    limit: usize,
}

/// What a read brought.
pub(super) enum Progress {
    /// The rest of the message.
    Packet(Packet),
    /// A part; read on.
    Partial,
    /// The last there was.
    Over(Fate),
}

impl Assembly {
    /// Of messages of at most `limit` bytes.
    pub(super) fn new(limit: usize) -> Self {
        Self { filled: 0, limit }
    }

    /// Where the next read belongs, if the next message is a large one or not. Never empty: a read of no bytes would say
    /// nothing.
    pub(super) fn place(&self, buffer: &mut Buffer, is_large: bool) -> Range<usize> {
        if self.filled == 0 {
            buffer.prepare(is_large, self.limit);
        }
        self.filled..buffer.bytes().len().min(self.limit)
    }

    /// The part of a message that is there.
    pub(super) fn partial(&self, buffer: &mut Buffer) -> Vec<u8> {
        buffer.bytes()[..self.filled].to_vec()
    }

    /// Takes what a read into [`place`](Self::place) brought.
    pub(super) fn handle(&mut self, outcome: Outcome, buffer: &mut Buffer) -> Progress {
        match outcome {
            Outcome::Done(read) => {
                let len = std::mem::take(&mut self.filled) + read;
                if len == 0 {
                    return Progress::Over(Fate::Empty);
                }
                Progress::Packet(buffer.take_packet(len))
            }
            Outcome::More(read) => {
                self.filled += read;
                if self.filled >= self.limit {
                    return Progress::Over(Fate::Oversized { limit: self.limit });
                }
                if self.filled == buffer.bytes().len() {
                    buffer.grow(self.filled, self.limit);
                }
                Progress::Partial
            }
            Outcome::Failed(code) => match Fate::of_read(code) {
                Fate::Ended if self.filled > 0 => Progress::Over(Fate::Torn),
                fate => Progress::Over(fate),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use rpc_core::transport::PacketBuffer;
    use windows_sys::Win32::Foundation::ERROR_BROKEN_PIPE;

    use super::*;
    use crate::windows::buffer::SMALL;

    fn packet(progress: Progress) -> usize {
        match progress {
            Progress::Packet(packet) => packet.len(),
            Progress::Partial => panic!("the message is whole"),
            Progress::Over(fate) => panic!("not over: {fate:?}"),
        }
    }

    #[test]
    fn a_large_message_moves_to_larger_buffers_and_leaves_a_small_one() {
        let (mut assembly, mut buffer) = (Assembly::new(192 * 1024), Buffer::small());
        assert_eq!(assembly.place(&mut buffer, false), 0..SMALL);
        assert!(matches!(
            assembly.handle(Outcome::More(SMALL), &mut buffer),
            Progress::Partial
        ));
        let larger = PacketBuffer::REUSED;
        assert_eq!(assembly.place(&mut buffer, false), SMALL..larger);
        assert!(matches!(
            assembly.handle(Outcome::More(larger - SMALL), &mut buffer),
            Progress::Partial
        ));
        assert_eq!(assembly.place(&mut buffer, false), larger..192 * 1024);
        assert_eq!(packet(assembly.handle(Outcome::Done(7), &mut buffer)), larger + 7);
        assert_eq!(assembly.place(&mut buffer, false), 0..SMALL);
    }

    #[test]
    fn a_message_that_is_expected_to_be_large_gets_a_large_buffer() {
        let (mut assembly, mut buffer) = (Assembly::new(65536), Buffer::Empty);
        assert_eq!(assembly.place(&mut buffer, true), 0..65536);
        assert_eq!(packet(assembly.handle(Outcome::Done(65536), &mut buffer)), 65536);
        // What is expected need not come.
        assert_eq!(assembly.place(&mut buffer, true), 0..65536);
        assert_eq!(packet(assembly.handle(Outcome::Done(7), &mut buffer)), 7);
        assert_eq!(assembly.place(&mut buffer, false), 0..SMALL);
    }

    #[test]
    fn more_than_the_limit_is_never_read() {
        let limits = [1, SMALL - 1, SMALL, SMALL + 1, 65536, 65537];
        for (limit, is_large) in limits.iter().flat_map(|&limit| [(limit, false), (limit, true)]) {
            let (mut assembly, mut buffer) = (Assembly::new(limit), Buffer::Empty);
            let fate = loop {
                let place = assembly.place(&mut buffer, is_large);
                assert!(!place.is_empty() && place.end <= limit);
                match assembly.handle(Outcome::More(place.len()), &mut buffer) {
                    Progress::Partial => {}
                    Progress::Over(fate) => break fate,
                    Progress::Packet(_) => panic!("a message over the limit"),
                }
            };
            assert_eq!(fate, Fate::Oversized { limit });
        }
    }

    #[test]
    fn an_end_within_a_message_is_a_torn_message() {
        let (mut assembly, mut buffer) = (Assembly::new(65536), Buffer::small());
        let ended = Outcome::Failed(ERROR_BROKEN_PIPE);
        assert!(matches!(
            assembly.handle(ended, &mut buffer),
            Progress::Over(Fate::Ended)
        ));
        assert!(matches!(
            assembly.handle(Outcome::More(SMALL), &mut buffer),
            Progress::Partial
        ));
        assert!(matches!(
            assembly.handle(ended, &mut buffer),
            Progress::Over(Fate::Torn)
        ));
    }

    #[test]
    fn an_empty_message_is_neither_data_nor_the_end() {
        let (mut assembly, mut buffer) = (Assembly::new(65536), Buffer::small());
        assert!(matches!(
            assembly.handle(Outcome::Done(0), &mut buffer),
            Progress::Over(Fate::Empty)
        ));
    }
}
