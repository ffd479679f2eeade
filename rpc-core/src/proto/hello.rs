//! The handshake: Hello, fixed for ever. PROTOCOL.md section 3.1.

use super::call::truncated;
use super::wire::{FIRST_REQUIRED_TAG, split_tag, u16_at, u32_at, u64_at};

/// The version of the protocol that this code speaks.
pub const VERSION: u16 = 1;

const HELLO: [u8; 8] = *b"pipe-rpc";
/// What stands before the tags, in bytes.
pub(super) const FIXED: usize = 16;
/// The longest list of tags, in bytes.
const MAX_TAGS: usize = 16 * 1024;

const FEATURES: u16 = 1;
const CODECS: u16 = 2;
const MAX_PACKET: u16 = 3;
const MAX_CALLS: u16 = 4;
const MAX_NESTED: u16 = 5;
const WINDOW: u16 = 6;
const MAX_BODY: u16 = 7;
const SECRET: u16 = 8;
const PRODUCT: u16 = 9;
const SERVICES: u16 = 10;
const STREAM: u16 = 11;

/// The longest secret, in bytes.
pub const MAX_SECRET: usize = 1024;

/// What one end says of itself before anything else: what it grants the other end, and what it can take.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hello {
    /// The lowest version spoken.
    pub lowest: u16,
    /// The highest version spoken.
    pub highest: u16,
    /// Optional features, a bit each; none is defined yet.
    pub features: u64,
    /// Codecs by number, the preferred one first.
    pub codecs: Vec<u8>,
    /// The largest packet, in bytes.
    pub max_packet: u32,
    /// How many calls of depth 0 the other end may have open.
    pub max_calls: u32,
    /// How many nested calls the other end may have open beside them.
    pub max_nested: u32,
    /// How many bytes of large request bodies the other end may send before it gets credit for more.
    pub window: u64,
    /// The largest body, in bytes.
    pub max_body: u64,
    /// How many bytes of each stream of items the other end may send before it gets credit for more.
    pub stream: u64,
    /// What the server asks for before it lets a client in.
    pub secret: Option<Vec<u8>>,
    /// Who speaks, for logs.
    pub product: String,
    /// The names of the services served.
    pub services: Vec<String>,
}

/// A Hello that cannot be understood.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum HelloError {
    /// The other end speaks something else.
    #[error("the greeting is not one of pipe-rpc; is another program at the other end?")]
    WrongMagic,
    /// Shorter or longer than it says, or a value of the wrong size.
    #[error("the greeting is malformed")]
    Malformed,
    /// A limit is out of range.
    #[error("a limit in the greeting is out of range")]
    OutOfRange,
    /// A tag that must be understood is unknown.
    #[error("the greeting demands {tag:#06x}, which is unknown; update the older of the two programs")]
    UnknownTag {
        /// The tag.
        tag: u16,
    },
}

impl Hello {
    /// The packet that says it.
    ///
    /// Service names that no longer fit are left out: they are for information only.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        // What most Hellos need, services apart.
        let mut packet = Vec::with_capacity(FIXED + 128);
        packet.extend_from_slice(&HELLO);
        packet.extend_from_slice(&self.lowest.to_le_bytes());
        packet.extend_from_slice(&self.highest.to_le_bytes());
        // The length of the tags, which is known at the end.
        packet.extend_from_slice(&[0; 4]);
        put(&mut packet, FEATURES, &self.features.to_le_bytes());
        put(&mut packet, CODECS, &self.codecs);
        put(&mut packet, MAX_PACKET, &self.max_packet.to_le_bytes());
        put(&mut packet, MAX_CALLS, &self.max_calls.to_le_bytes());
        put(&mut packet, MAX_NESTED, &self.max_nested.to_le_bytes());
        put(&mut packet, WINDOW, &self.window.to_le_bytes());
        put(&mut packet, MAX_BODY, &self.max_body.to_le_bytes());
        put(&mut packet, STREAM, &self.stream.to_le_bytes());
        if let Some(secret) = &self.secret {
            put(&mut packet, SECRET, secret);
        }
        put(&mut packet, PRODUCT, truncated(&self.product).as_bytes());
        for name in &self.services {
            if packet.len() + 4 + name.len() > FIXED + MAX_TAGS {
                break;
            }
            put(&mut packet, SERVICES, name.as_bytes());
        }
        let tags = (packet.len() - FIXED) as u32;
        packet[FIXED - 4..FIXED].copy_from_slice(&tags.to_le_bytes());
        packet
    }

    /// Reads the client's Hello.
    ///
    /// # Errors
    /// If it is no Hello, or one that cannot be understood.
    pub fn decode(packet: &[u8]) -> Result<Self, HelloError> {
        let (fixed, tags) = packet
            .split_first_chunk::<FIXED>()
            .ok_or(HelloError::WrongMagic)?;
        if fixed[..8] != HELLO {
            return Err(HelloError::WrongMagic);
        }
        let mut hello = Self::empty(u16_at(fixed, 8), u16_at(fixed, 10));
        if hello.lowest > hello.highest || u32_at(fixed, 12) as usize != tags.len() || tags.len() > MAX_TAGS {
            return Err(HelloError::Malformed);
        }
        let mut rest = tags;
        while !rest.is_empty() {
            let (tag, value, after) = split_tag(rest).ok_or(HelloError::Malformed)?;
            hello.set(tag, value)?;
            rest = after;
        }
        Ok(hello)
    }

    /// What an end grants that says nothing.
    pub(super) fn empty(lowest: u16, highest: u16) -> Self {
        Self {
            lowest,
            highest,
            features: 0,
            codecs: Vec::new(),
            max_packet: 64 * 1024,
            max_calls: 0,
            max_nested: 0,
            window: 0,
            max_body: 0,
            stream: 0,
            secret: None,
            product: String::new(),
            services: Vec::new(),
        }
    }

    fn set(&mut self, tag: u16, value: &[u8]) -> Result<(), HelloError> {
        match tag {
            FEATURES => self.features = u64_of(value)?,
            CODECS => self.codecs = value.to_vec(),
            MAX_PACKET => self.max_packet = u32_of(value)?,
            MAX_CALLS => self.max_calls = u32_of(value)?,
            MAX_NESTED => self.max_nested = u32_of(value)?,
            WINDOW => self.window = u64_of(value)?,
            MAX_BODY => self.max_body = u64_of(value)?,
            STREAM => self.stream = u64_of(value)?,
            SECRET => self.secret = Some(value.to_vec()),
            PRODUCT => self.product = String::from_utf8_lossy(value).into_owned(),
            SERVICES => self.services.push(String::from_utf8_lossy(value).into_owned()),
            FIRST_REQUIRED_TAG.. => return Err(HelloError::UnknownTag { tag }),
            _ => {}
        }
        Ok(())
    }
}

fn put(packet: &mut Vec<u8>, tag: u16, value: &[u8]) {
    // Every value is far shorter than 64 KiB: the longest are texts and the secret, which are limited.
    let length = u16::try_from(value.len()).unwrap_or(u16::MAX);
    packet.extend_from_slice(&tag.to_le_bytes());
    packet.extend_from_slice(&length.to_le_bytes());
    packet.extend_from_slice(&value[..usize::from(length)]);
}

fn u32_of(value: &[u8]) -> Result<u32, HelloError> {
    value
        .try_into()
        .map(u32::from_le_bytes)
        .map_err(|_| HelloError::Malformed)
}

fn u64_of(value: &[u8]) -> Result<u64, HelloError> {
    (value.len() == 8)
        .then(|| u64_at(value, 0))
        .ok_or(HelloError::Malformed)
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    pub(in crate::proto) fn hello() -> Hello {
        Hello {
            codecs: vec![1, 2],
            max_calls: 10,
            max_nested: 3,
            window: 1 << 24,
            max_body: 1 << 27,
            secret: Some(b"sesame".to_vec()),
            product: "test".to_owned(),
            services: vec!["A".to_owned(), "B".to_owned()],
            ..Hello::empty(1, 1)
        }
    }

    #[test]
    fn a_hello_reads_back_and_no_cut_of_it_does() {
        let packet = hello().encode();
        assert_eq!(Hello::decode(&packet), Ok(hello()));
        for cut in 0..packet.len() {
            assert!(Hello::decode(&packet[..cut]).is_err());
        }
    }

    #[test]
    fn unknown_tags_are_skipped_and_required_ones_refused() {
        let with = |tag: u16| {
            let mut packet = hello().encode();
            put(&mut packet, tag, b"new");
            let length = (packet.len() - FIXED) as u32;
            packet[12..16].copy_from_slice(&length.to_le_bytes());
            Hello::decode(&packet)
        };
        assert_eq!(with(0x7fff), Ok(hello()));
        assert_eq!(with(0x8000), Err(HelloError::UnknownTag { tag: 0x8000 }));
    }
}
