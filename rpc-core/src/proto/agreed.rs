//! What both ends hold to after their Hellos. PROTOCOL.md section 3.1.

use super::hello::Hello;
use super::reject::RejectCode;

/// The smallest packet limit that may be agreed on, in bytes.
pub const MIN_PACKET: u32 = 4096;
/// The largest packet limit that may be agreed on, in bytes.
pub const MAX_PACKET_LIMIT: u32 = 192 * 1024;
/// The most calls of one kind that one end may grant the other.
pub const MAX_CREDIT: u32 = 1 << 16;
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
    /// Bytes of each stream of items before credit returns.
    pub stream: u64,
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
            stream: hello.stream,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::proto::hello::tests::hello;

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
