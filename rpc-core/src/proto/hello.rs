//! The handshake: Hello and Reject, fixed for ever. PROTOCOL.md section 3.

use std::time::Duration;

use super::call::truncated;
use super::wire::{FIRST_REQUIRED_TAG, split_tag, u32_at, u64_at};

/// The version of the protocol that this code speaks.
pub const VERSION: u16 = 1;

const HELLO: [u8; 8] = *b"pipe-rpc";
const REJECT: [u8; 8] = *b"pipe-rej";
const FIXED: usize = 16;
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

/// The smallest packet limit that may be agreed on, in bytes.
pub const MIN_PACKET: u32 = 4096;
/// The largest packet limit that may be agreed on, in bytes.
pub const MAX_PACKET_LIMIT: u32 = 192 * 1024;
/// The most calls of one kind that one end may grant the other.
pub const MAX_CREDIT: u32 = 1 << 16;
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

/// Why a server does not let a client in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reject {
    /// The reason.
    pub code: RejectCode,
    /// The lowest version the server speaks.
    pub lowest: u16,
    /// The highest version the server speaks.
    pub highest: u16,
    /// When to come again, if that helps; precise to the millisecond.
    pub retry_after: Option<Duration>,
    /// A text a person can act on.
    pub text: String,
}

/// The reasons to reject a client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum RejectCode {
    /// No version that both speak.
    Version,
    /// The secret is missing or wrong.
    Secret,
    /// The Hello could not be understood.
    Malformed,
    /// The server is shutting down or full.
    Unavailable,
    /// No codec that both have.
    Codec,
    /// A code that this version does not know.
    Other(u16),
}

/// What the server answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// Come in.
    Hello(Hello),
    /// Stay out.
    Reject(Reject),
}

impl Hello {
    /// The packet that says it.
    ///
    /// Service names that no longer fit are left out: they are for information only.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut tags = Vec::new();
        put(&mut tags, FEATURES, &self.features.to_le_bytes());
        put(&mut tags, CODECS, &self.codecs);
        put(&mut tags, MAX_PACKET, &self.max_packet.to_le_bytes());
        put(&mut tags, MAX_CALLS, &self.max_calls.to_le_bytes());
        put(&mut tags, MAX_NESTED, &self.max_nested.to_le_bytes());
        put(&mut tags, WINDOW, &self.window.to_le_bytes());
        put(&mut tags, MAX_BODY, &self.max_body.to_le_bytes());
        if let Some(secret) = &self.secret {
            put(&mut tags, SECRET, secret);
        }
        put(&mut tags, PRODUCT, truncated(&self.product).as_bytes());
        for name in &self.services {
            if tags.len() + 4 + name.len() > MAX_TAGS {
                break;
            }
            put(&mut tags, SERVICES, name.as_bytes());
        }
        let mut packet = Vec::with_capacity(FIXED + tags.len());
        packet.extend_from_slice(&HELLO);
        packet.extend_from_slice(&self.lowest.to_le_bytes());
        packet.extend_from_slice(&self.highest.to_le_bytes());
        packet.extend_from_slice(&(tags.len() as u32).to_le_bytes());
        packet.extend_from_slice(&tags);
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
    fn empty(lowest: u16, highest: u16) -> Self {
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
            SECRET => self.secret = Some(value.to_vec()),
            PRODUCT => self.product = String::from_utf8_lossy(value).into_owned(),
            SERVICES => self.services.push(String::from_utf8_lossy(value).into_owned()),
            FIRST_REQUIRED_TAG.. => return Err(HelloError::UnknownTag { tag }),
            _ => {}
        }
        Ok(())
    }
}

impl Reject {
    /// The packet that says it.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let text = truncated(&self.text).as_bytes();
        let after = self.retry_after.map_or(0, |after| {
            u32::try_from(after.as_millis()).unwrap_or(u32::MAX).max(1)
        });
        let mut packet = Vec::with_capacity(FIXED + 8 + text.len());
        packet.extend_from_slice(&REJECT);
        packet.extend_from_slice(&self.lowest.to_le_bytes());
        packet.extend_from_slice(&self.highest.to_le_bytes());
        packet.extend_from_slice(&(8 + text.len() as u32).to_le_bytes());
        packet.extend_from_slice(&self.code.to_wire().to_le_bytes());
        packet.extend_from_slice(&[0; 2]);
        packet.extend_from_slice(&after.to_le_bytes());
        packet.extend_from_slice(text);
        packet
    }

    fn decode(packet: &[u8]) -> Result<Self, HelloError> {
        if packet.len() < FIXED + 8 || u32_at(packet, 12) as usize != packet.len() - FIXED {
            return Err(HelloError::Malformed);
        }
        let after = u32_at(packet, FIXED + 4);
        Ok(Self {
            code: RejectCode::from_wire(u16_at(packet, FIXED)),
            lowest: u16_at(packet, 8),
            highest: u16_at(packet, 10),
            retry_after: (after != 0).then(|| Duration::from_millis(after.into())),
            text: truncated(&String::from_utf8_lossy(&packet[FIXED + 8..])).to_owned(),
        })
    }
}

impl Answer {
    /// Reads what the server answered.
    ///
    /// # Errors
    /// If it is neither a Hello nor a Reject, or one that cannot be understood.
    pub fn decode(packet: &[u8]) -> Result<Self, HelloError> {
        if packet.starts_with(&REJECT) {
            return Reject::decode(packet).map(Self::Reject);
        }
        Hello::decode(packet).map(Self::Hello)
    }
}

impl RejectCode {
    fn to_wire(self) -> u16 {
        match self {
            Self::Version => 1,
            Self::Secret => 2,
            Self::Malformed => 3,
            Self::Unavailable => 4,
            Self::Codec => 5,
            Self::Other(code) => code,
        }
    }

    fn from_wire(code: u16) -> Self {
        match code {
            1 => Self::Version,
            2 => Self::Secret,
            3 => Self::Malformed,
            4 => Self::Unavailable,
            5 => Self::Codec,
            code => Self::Other(code),
        }
    }
}

/// What both ends hold to after their Hellos.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Agreed {
    /// The version spoken.
    pub version: u16,
    /// The number of the codec.
    pub codec: u8,
    /// The largest packet, in bytes.
    pub max_packet: usize,
    /// What this end granted the peer.
    pub granted: Limits,
    /// What the peer granted this end.
    pub received: Limits,
}

/// What one end grants the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Calls of depth 0 that may be open.
    pub max_calls: u32,
    /// Nested calls that may be open beside them.
    pub max_nested: u32,
    /// Bytes of large request bodies before credit returns.
    pub window: u64,
    /// The largest body in bytes.
    pub max_body: u64,
}

impl Agreed {
    /// What follows from the Hellos of both ends. The client's order of codecs decides.
    ///
    /// # Errors
    /// [`RejectCode::Version`], [`RejectCode::Codec`], or [`RejectCode::Malformed`] for limits out of range.
    pub fn of(ours: &Hello, theirs: &Hello, client: &Hello) -> Result<Self, RejectCode> {
        let version = ours.highest.min(theirs.highest);
        if version < ours.lowest.max(theirs.lowest) {
            return Err(RejectCode::Version);
        }
        let both = |codec: &&u8| ours.codecs.contains(codec) && theirs.codecs.contains(codec);
        let codec = *client.codecs.iter().find(both).ok_or(RejectCode::Codec)?;
        let max_packet = ours.max_packet.min(theirs.max_packet);
        if !(MIN_PACKET..=MAX_PACKET_LIMIT).contains(&max_packet) {
            return Err(RejectCode::Malformed);
        }
        let credits = [ours, theirs].map(|hello| hello.max_calls.max(hello.max_nested));
        if credits.into_iter().any(|credit| credit > MAX_CREDIT) {
            return Err(RejectCode::Malformed);
        }
        let max_packet = max_packet as usize;
        Ok(Self {
            version,
            codec,
            max_packet,
            granted: Limits::of(ours),
            received: Limits::of(theirs),
        })
    }
}

impl Limits {
    fn of(hello: &Hello) -> Self {
        Self {
            max_calls: hello.max_calls,
            max_nested: hello.max_nested,
            window: hello.window,
            max_body: hello.max_body,
        }
    }
}

fn put(tags: &mut Vec<u8>, tag: u16, value: &[u8]) {
    // Every value is far shorter than 64 KiB: the longest are texts and the secret, which are limited.
    let length = u16::try_from(value.len()).unwrap_or(u16::MAX);
    tags.extend_from_slice(&tag.to_le_bytes());
    tags.extend_from_slice(&length.to_le_bytes());
    tags.extend_from_slice(&value[..usize::from(length)]);
}

fn u16_at(bytes: &[u8], at: usize) -> u16 {
    u16::from_le_bytes([bytes[at], bytes[at + 1]])
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
mod tests {
    use super::*;

    fn hello() -> Hello {
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

    #[test]
    fn a_reject_reads_back() {
        let reject = Reject {
            code: RejectCode::Version,
            lowest: 2,
            highest: 3,
            retry_after: Some(Duration::from_millis(1500)),
            text: "update the client".to_owned(),
        };
        assert_eq!(Answer::decode(&reject.encode()), Ok(Answer::Reject(reject)));
    }

    #[test]
    fn the_lower_of_the_highest_versions_is_spoken_if_both_speak_it() {
        let speaks = |lowest, highest| Hello {
            lowest,
            highest,
            ..hello()
        };
        let version = |a: &Hello, b: &Hello| Agreed::of(a, b, b).map(|agreed| agreed.version);
        assert_eq!(version(&speaks(1, 3), &speaks(2, 5)), Ok(3));
        assert_eq!(version(&speaks(1, 1), &speaks(2, 5)), Err(RejectCode::Version));
    }

    #[test]
    fn limits_out_of_range_are_refused() {
        let agreed = |theirs: &Hello| Agreed::of(&hello(), theirs, theirs).map(|_| ());
        let with_packet = |max_packet| Hello {
            max_packet,
            ..hello()
        };
        let with_calls = |max_calls| Hello { max_calls, ..hello() };
        let with_nested = |max_nested| Hello {
            max_nested,
            ..hello()
        };
        for low in [0, 1, MIN_PACKET - 1] {
            assert_eq!(agreed(&with_packet(low)), Err(RejectCode::Malformed));
        }
        for high in [MAX_CREDIT + 1, u32::MAX] {
            assert_eq!(agreed(&with_calls(high)), Err(RejectCode::Malformed));
            assert_eq!(agreed(&with_nested(high)), Err(RejectCode::Malformed));
        }
        for fine in [
            with_packet(MIN_PACKET),
            with_packet(u32::MAX),
            with_calls(0),
            with_calls(MAX_CREDIT),
        ] {
            assert_eq!(agreed(&fine), Ok(()));
        }
    }

    #[test]
    fn the_clients_first_codec_that_the_server_has_is_used() {
        let has = |codecs: &[u8]| Hello {
            codecs: codecs.to_vec(),
            ..hello()
        };
        let codec =
            |server: &Hello, client: &Hello| Agreed::of(server, client, client).map(|agreed| agreed.codec);
        assert_eq!(codec(&has(&[1, 2]), &has(&[3, 2, 1])), Ok(2));
        assert_eq!(codec(&has(&[1]), &has(&[2])), Err(RejectCode::Codec));
    }
}
