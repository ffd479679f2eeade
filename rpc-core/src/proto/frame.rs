//! The frames of a received packet, by their places in it. PROTOCOL.md sections 4 and 5.

use std::ops::Range;

use super::CallId;
use super::error::ProtocolError;
use super::wire::{EXT, FIRST_REQUIRED_TAG, HEADER, Header, Kind, split_tag};

/// One frame of a packet, by its places in it: each part ends where the next one starts.
#[derive(Clone, Copy, Debug)]
pub(super) struct Frame {
    pub(super) kind: Kind,
    pub(super) flags: u8,
    /// The call it belongs to, if its kind belongs to one.
    pub(super) call: CallId,
    head: usize,
    extensions: usize,
    body: usize,
    /// Where the next frame starts.
    pub(super) end: usize,
}

impl Frame {
    #[inline]
    pub(super) fn has(&self, flag: u8) -> bool {
        self.flags & flag != 0
    }

    /// Whether it has the first part of a body that goes on in fragments, and its total at the end of the head.
    #[inline]
    pub(super) fn begins_body(&self) -> bool {
        self.kind.begins_body(self.flags)
    }

    /// The fixed part of the head; its length is as the kind demands.
    #[inline]
    pub(super) fn head<'p>(&self, packet: &'p [u8]) -> &'p [u8] {
        &packet[self.head..self.extensions]
    }

    /// What follows the fixed part, whose shape has been checked.
    #[inline]
    pub(super) fn extensions<'p>(&self, packet: &'p [u8]) -> &'p [u8] {
        &packet[self.extensions..self.body]
    }

    #[inline]
    pub(super) fn has_extensions(&self) -> bool {
        self.extensions < self.body
    }

    #[inline]
    pub(super) fn body<'p>(&self, packet: &'p [u8]) -> &'p [u8] {
        &packet[self.body..self.end]
    }

    /// Where the body lies.
    #[inline]
    pub(super) fn body_place(&self) -> Range<usize> {
        self.body..self.end
    }
}

/// Finds the frame that starts at `start`.
#[inline]
pub(super) fn frame_at(packet: &[u8], start: usize) -> Result<Frame, ProtocolError> {
    let torn = || ProtocolError::TornPacket { size: packet.len() };
    let header = Header::decode(&packet[start..]).ok_or_else(torn)?;
    let head = start + HEADER;
    let length = usize::try_from(header.length).map_err(|_| torn())?;
    let end = head
        .checked_add(length)
        .filter(|end| *end <= packet.len())
        .ok_or_else(torn)?;
    let kind = Kind::from_wire(header.kind)?;
    let total = if kind.begins_body(header.flags) { 8 } else { 0 };
    let extensions = head + kind.fixed_head() + total;
    let body = head + usize::from(header.head);
    if kind != Kind::Optional {
        if body > end || extensions > body {
            return Err(ProtocolError::MalformedHead { kind: header.kind });
        }
        if extensions < body {
            check_extensions(header, &packet[extensions..body])?;
        }
    }
    Ok(Frame {
        kind,
        flags: header.flags,
        call: CallId {
            slot: header.slot,
            generation: header.generation,
        },
        head,
        extensions,
        body,
        end,
    })
}

/// Extensions may be skipped unless their tag says that they must be understood; none such is known yet.
fn check_extensions(header: Header, mut rest: &[u8]) -> Result<(), ProtocolError> {
    let malformed = ProtocolError::MalformedHead { kind: header.kind };
    if header.flags & EXT == 0 && !rest.is_empty() {
        return Err(malformed);
    }
    while !rest.is_empty() {
        let Some((tag, _, after)) = split_tag(rest) else {
            return Err(malformed);
        };
        if tag >= FIRST_REQUIRED_TAG {
            return Err(ProtocolError::UnknownExtension { tag });
        }
        rest = after;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::wire::OPENER;
    use super::*;

    fn frame(kind: u8, flags: u8, head: &[u8], body: &[u8]) -> Vec<u8> {
        let length = (head.len() + body.len()) as u32;
        let header = Header {
            length,
            kind,
            flags,
            head: head.len() as u16,
            slot: 7,
            generation: 9,
        };
        [&header.encode(), head, body].concat()
    }

    #[test]
    fn a_frame_is_found_by_its_places() {
        let packet = [frame(7, OPENER, &[], &[]), frame(2, 0, &[0; 4], b"body")].concat();
        let cancel = frame_at(&packet, 0).unwrap();
        assert_eq!(cancel.kind, Kind::Cancel);
        let response = frame_at(&packet, cancel.end).unwrap();
        assert_eq!((response.call.slot, response.call.generation), (7, 9));
        assert_eq!(response.body(&packet), b"body");
        assert_eq!(response.end, packet.len());
    }

    #[test]
    fn a_frame_that_passes_the_packets_end_is_torn() {
        let whole = frame(2, 0, &[0; 4], b"body");
        for cut in 1..whole.len() {
            let error = frame_at(&whole[..cut], 0).unwrap_err();
            assert_eq!(error, ProtocolError::TornPacket { size: cut });
        }
        let mut huge = whole;
        huge[0..4].copy_from_slice(&u32::MAX.to_le_bytes());
        assert!(matches!(
            frame_at(&huge, 0),
            Err(ProtocolError::TornPacket { .. })
        ));
    }

    #[test]
    fn unknown_kinds_below_128_are_errors_and_others_skipped() {
        let unknown = frame(0x7f, 0, &[], b"x");
        assert_eq!(
            frame_at(&unknown, 0).unwrap_err(),
            ProtocolError::UnknownKind { kind: 0x7f }
        );
        let optional = frame(0x80, 0, &[], b"x");
        let skipped = frame_at(&optional, 0).unwrap();
        assert_eq!((skipped.kind, skipped.end), (Kind::Optional, optional.len()));
    }

    #[test]
    fn optional_extensions_are_skipped_and_required_ones_refused() {
        let optional = [1, 0, 2, 0, 0xaa, 0xbb];
        let packet = frame(7, OPENER | EXT, &optional, &[]);
        assert_eq!(frame_at(&packet, 0).unwrap().kind, Kind::Cancel);
        let packet = frame(7, OPENER, &optional, &[]);
        assert_eq!(
            frame_at(&packet, 0).unwrap_err(),
            ProtocolError::MalformedHead { kind: 7 }
        );
        let required = [1, 0x80, 0, 0];
        let packet = frame(7, OPENER | EXT, &required, &[]);
        assert_eq!(
            frame_at(&packet, 0).unwrap_err(),
            ProtocolError::UnknownExtension { tag: 0x8001 }
        );
    }
}
