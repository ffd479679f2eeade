//! The bytes of frames. PROTOCOL.md sections 4 and 5.

use std::ops::Range;

use super::CallId;
use super::error::ProtocolError;

/// The size of a frame's header in bytes.
pub(super) const HEADER: usize = 16;

/// The sender of this frame opened the call it belongs to.
pub(super) const OPENER: u8 = 1;
/// The body goes on in fragments.
pub(super) const MORE: u8 = 2;
/// Tag-length-values follow the fixed part of the head.
pub(super) const EXT: u8 = 4;
/// Nobody waits for the result; on requests only.
pub(super) const ONEWAY: u8 = 8;
/// Items follow, or the credit is that of a stream of items.
pub(super) const STREAM: u8 = 16;

/// Kinds from here on are skipped by who does not know them.
const FIRST_OPTIONAL_KIND: u8 = 0x80;
/// Tags from here on must be understood.
pub(super) const FIRST_REQUIRED_TAG: u16 = 0x8000;

/// What a frame is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum Kind {
    Request = 1,
    Response = 2,
    Refused = 3,
    Fragment = 4,
    Item = 5,
    End = 6,
    Cancel = 7,
    Done = 8,
    Credit = 9,
    Ping = 10,
    Pong = 11,
    Goaway = 12,
    Farewell = 13,
    FarewellAck = 14,
    /// One that this end does not know, and may skip.
    Optional = FIRST_OPTIONAL_KIND,
}

impl Kind {
    #[inline]
    fn from_wire(kind: u8) -> Result<Self, ProtocolError> {
        Ok(match kind {
            1 => Self::Request,
            2 => Self::Response,
            3 => Self::Refused,
            4 => Self::Fragment,
            5 => Self::Item,
            6 => Self::End,
            7 => Self::Cancel,
            8 => Self::Done,
            9 => Self::Credit,
            10 => Self::Ping,
            11 => Self::Pong,
            12 => Self::Goaway,
            13 => Self::Farewell,
            14 => Self::FarewellAck,
            FIRST_OPTIONAL_KIND.. => Self::Optional,
            kind => return Err(ProtocolError::UnknownKind { kind }),
        })
    }

    /// How many bytes the fixed part of the head has, without the total that [`begins_body`](Self::begins_body) adds.
    #[inline]
    fn fixed_head(self) -> usize {
        match self {
            Self::Request => 28,
            Self::Response | Self::End => 4,
            Self::Credit | Self::Ping | Self::Pong => 8,
            Self::Goaway => 2,
            _ => 0,
        }
    }

    /// Whether the frame has the first part of a body that goes on in fragments.
    #[inline]
    fn begins_body(self, flags: u8) -> bool {
        flags & MORE != 0 && matches!(self, Self::Request | Self::Response | Self::Item)
    }
}

/// The 16 bytes every frame starts with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Header {
    /// How many bytes of head and body follow.
    pub(super) length: u32,
    pub(super) kind: u8,
    pub(super) flags: u8,
    /// How many of them are the head.
    pub(super) head: u16,
    pub(super) slot: u32,
    pub(super) generation: u32,
}

impl Header {
    #[inline]
    pub(super) fn encode(self) -> [u8; HEADER] {
        let mut bytes = [0; HEADER];
        bytes[0..4].copy_from_slice(&self.length.to_le_bytes());
        bytes[4] = self.kind;
        bytes[5] = self.flags;
        bytes[6..8].copy_from_slice(&self.head.to_le_bytes());
        bytes[8..12].copy_from_slice(&self.slot.to_le_bytes());
        bytes[12..16].copy_from_slice(&self.generation.to_le_bytes());
        bytes
    }

    #[inline]
    pub(super) fn decode(bytes: &[u8]) -> Option<Self> {
        let bytes: &[u8; HEADER] = bytes.first_chunk()?;
        Some(Self {
            length: u32_at(bytes, 0),
            kind: bytes[4],
            flags: bytes[5],
            head: u16::from_le_bytes([bytes[6], bytes[7]]),
            slot: u32_at(bytes, 8),
            generation: u32_at(bytes, 12),
        })
    }
}

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

/// Splits the first tag-length-value off: tag u16, length u16, value.
pub(super) fn split_tag(bytes: &[u8]) -> Option<(u16, &[u8], &[u8])> {
    let (tag, rest) = bytes.split_first_chunk::<2>()?;
    let (length, rest) = rest.split_first_chunk::<2>()?;
    let (value, rest) = rest.split_at_checked(usize::from(u16::from_le_bytes(*length)))?;
    Some((u16::from_le_bytes(*tag), value, rest))
}

/// The number at `at`; the caller has checked that it is there.
#[inline]
pub(super) fn u16_at(bytes: &[u8], at: usize) -> u16 {
    u16::from_le_bytes(array_at(bytes, at))
}

/// The number at `at`; the caller has checked that it is there.
#[inline]
pub(super) fn u32_at(bytes: &[u8], at: usize) -> u32 {
    u32::from_le_bytes(array_at(bytes, at))
}

/// The number at `at`; the caller has checked that it is there.
#[inline]
pub(super) fn u64_at(bytes: &[u8], at: usize) -> u64 {
    u64::from_le_bytes(array_at(bytes, at))
}

#[inline]
fn array_at<const N: usize>(bytes: &[u8], at: usize) -> [u8; N] {
    let mut array = [0; N];
    array.copy_from_slice(&bytes[at..at + N]);
    array
}

#[cfg(test)]
mod tests {
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
