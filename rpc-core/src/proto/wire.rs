//! The bytes of frames. PROTOCOL.md sections 4 and 5.

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
    pub(super) fn from_wire(kind: u8) -> Result<Self, ProtocolError> {
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
    pub(super) fn fixed_head(self) -> usize {
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
    pub(super) fn begins_body(self, flags: u8) -> bool {
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
