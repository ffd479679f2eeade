//! Frames by hand, written from PROTOCOL.md sections 4 to 6 and not from the code under test.

use std::fmt;

pub const OPENER: u8 = 1;
pub const MORE: u8 = 2;
pub const EXT: u8 = 4;
pub const ONEWAY: u8 = 8;

pub const HEADER: usize = 16;
pub const REQUEST_HEAD: usize = 28;

/// A frame taken apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Frame {
    pub kind: u8,
    pub flags: u8,
    pub slot: u32,
    pub generation: u32,
    pub head: Vec<u8>,
    pub body: Vec<u8>,
}

impl Frame {
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

    pub fn with_head(mut self, head: impl Into<Vec<u8>>) -> Self {
        self.head = head.into();
        self
    }

    pub fn with_body(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.body = body.into();
        self
    }

    pub fn with_flags(mut self, flags: u8) -> Self {
        self.flags |= flags;
        self
    }

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

    /// Takes a packet apart, which must be whole.
    pub fn all_of(packet: &[u8]) -> Vec<Self> {
        let mut frames = Vec::new();
        let mut rest = packet;
        while !rest.is_empty() {
            let (header, after) = rest.split_at(HEADER);
            let u32_at = |at: usize| u32::from_le_bytes(header[at..at + 4].try_into().unwrap());
            let (content, next) = after.split_at(u32_at(0) as usize);
            let (head, body) = content.split_at(usize::from(u16::from_le_bytes([header[6], header[7]])));
            frames.push(
                Self::new(header[4], header[5], (u32_at(8), u32_at(12)))
                    .with_head(head)
                    .with_body(body),
            );
            rest = next;
        }
        frames
    }

    /// The number in the head of a Credit, Ping or Pong.
    pub fn number(&self) -> u64 {
        u64::from_le_bytes(self.head[..8].try_into().unwrap())
    }
}

/// In short: `request 0.1 more`.
impl fmt::Display for Frame {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = [
            "?",
            "request",
            "response",
            "refused",
            "fragment",
            "item",
            "end",
            "cancel",
            "done",
            "credit",
            "ping",
            "pong",
            "goaway",
            "farewell",
            "farewell-ack",
        ];
        f.write_str(names.get(usize::from(self.kind)).unwrap_or(&"?"))?;
        match self.kind {
            1..=4 | 7 => write!(f, " {}.{}", self.slot, self.generation)?,
            8 => self
                .body
                .chunks(8)
                .try_for_each(|pair| write!(f, " {}.{}", pair[0], pair[4]))?,
            9..=11 => write!(f, " {}", self.number())?,
            _ => {}
        }
        if self.flags & MORE != 0 {
            f.write_str(" more")?;
        }
        Ok(())
    }
}

/// What a packet holds, in short.
pub fn told(packet: &[u8]) -> Vec<String> {
    Frame::all_of(packet).iter().map(Frame::to_string).collect()
}

/// The fixed head of a request of service 1, method 2, with nothing special.
pub fn request_head(depth: u8) -> Vec<u8> {
    let mut head = vec![0; REQUEST_HEAD];
    (head[0], head[4], head[24]) = (1, 2, depth);
    head
}

pub fn request(call: (u32, u32), body: &[u8]) -> Frame {
    Frame::new(1, OPENER, call)
        .with_head(request_head(0))
        .with_body(body)
}

/// The first part of a request's body of `total` bytes.
pub fn large_request(call: (u32, u32), total: u64, part: &[u8]) -> Frame {
    let head = [&request_head(0)[..], &total.to_le_bytes()].concat();
    Frame::new(1, OPENER | MORE, call).with_head(head).with_body(part)
}

pub fn response(call: (u32, u32), body: &[u8]) -> Frame {
    Frame::new(2, 0, call).with_head([0; 4]).with_body(body)
}

pub fn large_response(call: (u32, u32), total: u64, part: &[u8]) -> Frame {
    let head = [&[0; 4][..], &total.to_le_bytes()].concat();
    Frame::new(2, MORE, call).with_head(head).with_body(part)
}

pub fn refused(call: (u32, u32)) -> Frame {
    Frame::new(3, 0, call).with_body([1, 0, 1, 0])
}

/// A part of a request's body.
pub fn request_part(call: (u32, u32), more: bool, part: &[u8]) -> Frame {
    Frame::new(4, OPENER | if more { MORE } else { 0 }, call).with_body(part)
}

/// A part of a response's body.
pub fn response_part(call: (u32, u32), more: bool, part: &[u8]) -> Frame {
    Frame::new(4, if more { MORE } else { 0 }, call).with_body(part)
}

pub fn cancel(call: (u32, u32)) -> Frame {
    Frame::new(7, OPENER, call)
}

pub fn done(call: (u32, u32)) -> Frame {
    let pair = [call.0.to_le_bytes(), call.1.to_le_bytes()].concat();
    Frame::new(8, 0, (0, 0)).with_body(pair)
}

pub fn credit(granted: u64) -> Frame {
    Frame::new(9, 0, (0, 0)).with_head(granted.to_le_bytes())
}

pub fn ping(payload: u64) -> Frame {
    Frame::new(10, 0, (0, 0)).with_head(payload.to_le_bytes())
}

pub fn pong(payload: u64) -> Frame {
    Frame::new(11, 0, (0, 0)).with_head(payload.to_le_bytes())
}

pub fn goaway(reason: u16, text: &str) -> Frame {
    Frame::new(12, 0, (0, 0))
        .with_head(reason.to_le_bytes())
        .with_body(text)
}

pub fn farewell() -> Frame {
    Frame::new(13, 0, (0, 0))
}

pub fn farewell_ack() -> Frame {
    Frame::new(14, 0, (0, 0))
}

/// One packet of several frames.
pub fn packet(frames: &[Frame]) -> Vec<u8> {
    frames.iter().flat_map(Frame::bytes).collect()
}
