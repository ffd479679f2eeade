//! A frame taken apart, and put together.

/// The flag of frames that the caller of their call sends.
pub const OPENER: u8 = 1;
/// The flag of a body that goes on in Fragments.
pub const MORE: u8 = 2;
/// The flag of a head with extensions.
pub const EXT: u8 = 4;
/// The flag of a Request whose result nobody waits for.
pub const ONEWAY: u8 = 8;
/// The flag of a Request or Response that items follow, and of the Credit for items.
pub const STREAM: u8 = 16;

/// How many bytes stand before a frame's head.
pub const HEADER: usize = 16;

/// One frame, right or wrong: any kind, any flags, a head and a body of any bytes.
///
/// In print it is short: `request 0.1 more`, `end 0.1 status 2`, `credit 0.1 4096` for the items of a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Frame {
    /// What it is; section 5 of PROTOCOL.md.
    pub kind: u8,
    /// [`OPENER`], [`MORE`], [`EXT`], [`ONEWAY`], [`STREAM`].
    pub flags: u8,
    /// The slot of its call, or 0.
    pub slot: u32,
    /// The generation of its call, or 0.
    pub generation: u32,
    /// What its kind demands.
    pub head: Vec<u8>,
    /// What comes after the head.
    pub body: Vec<u8>,
}

/// A packet that does not end where its last frame ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a packet of {size} bytes does not end where its last frame ends")]
pub struct TornPacket {
    /// The packet's size in bytes.
    pub size: usize,
}

impl Frame {
    /// A frame without head and body.
    #[must_use]
    pub fn new(kind: u8, flags: u8, (slot, generation): (u32, u32)) -> Self {
        Self {
            kind,
            flags,
            slot,
            generation,
            head: Vec::new(),
            body: Vec::new(),
        }
    }

    /// The same with another head.
    #[must_use]
    pub fn with_head(mut self, head: impl Into<Vec<u8>>) -> Self {
        self.head = head.into();
        self
    }

    /// The same with another body.
    #[must_use]
    pub fn with_body(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.body = body.into();
        self
    }

    /// The same with these flags beside those it has.
    #[must_use]
    pub fn with_flags(mut self, flags: u8) -> Self {
        self.flags |= flags;
        self
    }

    /// The frame as it travels.
    #[must_use]
    pub fn bytes(&self) -> Vec<u8> {
        let length = (self.head.len() + self.body.len()) as u32;
        [
            &length.to_le_bytes()[..],
            &[self.kind, self.flags],
            &(self.head.len() as u16).to_le_bytes(),
            &self.slot.to_le_bytes(),
            &self.generation.to_le_bytes(),
            &self.head,
            &self.body,
        ]
        .concat()
    }

    /// The frames of a packet.
    ///
    /// # Errors
    /// If the packet does not end where its last frame ends.
    pub fn split(packet: &[u8]) -> Result<Vec<Self>, TornPacket> {
        let mut frames = Vec::new();
        let mut rest = packet;
        while !rest.is_empty() {
            let (frame, next) = Self::split_first(rest).ok_or(TornPacket { size: packet.len() })?;
            frames.push(frame);
            rest = next;
        }
        Ok(frames)
    }

    /// The frames of a packet that is whole.
    ///
    /// # Panics
    /// If the packet does not end where its last frame ends.
    #[must_use]
    pub fn all_of(packet: &[u8]) -> Vec<Self> {
        Self::split(packet).unwrap_or_else(|torn| panic!("{torn}: {packet:02x?}"))
    }

    /// The first frame of some bytes, and what comes after it.
    pub(crate) fn split_first(bytes: &[u8]) -> Option<(Self, &[u8])> {
        let (header, after) = bytes.split_first_chunk::<HEADER>()?;
        let (content, next) = after.split_at_checked(usize::try_from(u32_at(header, 0)?).ok()?)?;
        let head_length = u16::from_le_bytes([header[6], header[7]]);
        let (head, body) = content.split_at_checked(usize::from(head_length))?;
        let call = (u32_at(header, 8)?, u32_at(header, 12)?);
        let frame = Self::new(header[4], header[5], call)
            .with_head(head)
            .with_body(body);
        Some((frame, next))
    }

    /// The number in the head of a Credit, Ping or Pong.
    ///
    /// # Panics
    /// If the head has less than 8 bytes.
    #[must_use]
    pub fn number(&self) -> u64 {
        self.try_number()
            .unwrap_or_else(|| panic!("a number has 8 bytes, and the head is {:02x?}", self.head))
    }

    pub(super) fn try_number(&self) -> Option<u64> {
        self.head.first_chunk().map(|bytes| u64::from_le_bytes(*bytes))
    }
}

pub(super) fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    let bytes = bytes.get(at..)?.first_chunk()?;
    Some(u32::from_le_bytes(*bytes))
}
