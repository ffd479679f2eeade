//! What is known of a method before it is called.

use std::sync::OnceLock;
use std::time::Duration;

use crate::schema::MethodShape;

/// What a service's trait says of one of its methods. Made by `#[pipe_rpc::service]`, one constant for each method.
#[derive(Debug)]
#[non_exhaustive]
pub struct Method {
    /// The service's name, as in `#[service(name = "…")]`; the trait's name unless that was given.
    pub service: &'static str,
    /// The method's name.
    pub name: &'static str,
    /// What identifies the method on the wire: [`wire_id`] of its name.
    pub id: u32,
    /// The signature as the trait writes it.
    pub signature: &'static str,
    /// Nobody waits for the result.
    pub oneway: bool,
    /// Asking again does no harm.
    pub idempotent: bool,
    /// Always runs in a task of its own at the server.
    pub spawn: bool,
    /// Its handler, once it has begun, runs to its end although nobody waits for it.
    pub finish: bool,
    /// The calls of one connection to this and the service's other ordered methods run one after the other.
    pub ordered: bool,
    /// How long a call may take unless the caller says otherwise.
    pub timeout: Option<Duration>,
    /// The largest body of its arguments, and of its result, in bytes, in place of the limits of the two ends.
    pub max_body: Option<u64>,
    /// How much of each of its streams may be under way, in KiB; 0 leaves it to the connection.
    pub buffer: u16,
    shape: Option<fn() -> MethodShape>,
    /// Traced when it is first asked for.
    traced: OnceLock<Traced>,
}

/// What two ends must have alike.
#[derive(Debug)]
struct Traced {
    text: String,
    fingerprint: u64,
}

impl Method {
    /// A unary method without options. `service` and `name` are as on the wire; `signature` is a text for people, and
    /// what the fingerprint is made of unless the method's [`shape`](Self::with_shape) is given.
    #[must_use]
    pub const fn new(service: &'static str, name: &'static str, signature: &'static str) -> Self {
        Self {
            service,
            name,
            id: wire_id(name),
            signature,
            oneway: false,
            idempotent: false,
            spawn: false,
            finish: false,
            ordered: false,
            timeout: None,
            max_body: None,
            buffer: 0,
            shape: None,
            traced: OnceLock::new(),
        }
    }

    /// What it takes and returns, in place of the signature's text. When the method's fingerprint is first asked for,
    /// each type's `Deserialize` is run on samples; one that panics on a sample is not run again.
    #[must_use]
    pub const fn with_shape(mut self, shape: fn() -> MethodShape) -> Self {
        self.shape = Some(shape);
        self
    }

    /// Nobody waits for the result.
    #[must_use]
    pub const fn oneway(mut self) -> Self {
        self.oneway = true;
        self
    }

    /// Asking again does no harm.
    #[must_use]
    pub const fn idempotent(mut self) -> Self {
        self.idempotent = true;
        self
    }

    /// Always runs in a task of its own at the server.
    #[must_use]
    pub const fn spawn(mut self) -> Self {
        self.spawn = true;
        self
    }

    /// How much of each of its streams may be under way, in KiB.
    #[must_use]
    pub const fn buffer(mut self, kib: u16) -> Self {
        self.buffer = kib;
        self
    }

    /// Its handler, once it has begun, runs to its end although nobody waits for it.
    #[must_use]
    pub const fn finish(mut self) -> Self {
        self.finish = true;
        self
    }

    /// The calls of one connection to this and the service's other ordered methods run one after the other.
    #[must_use]
    pub const fn ordered(mut self) -> Self {
        self.ordered = true;
        self
    }

    /// How long a call may take unless the caller says otherwise.
    #[must_use]
    pub const fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = Some(timeout);
        self
    }

    /// The largest body of its arguments, and of its result, in bytes, in place of the limits of the two ends.
    #[must_use]
    pub const fn max_body(mut self, bytes: u64) -> Self {
        self.max_body = Some(bytes);
        self
    }

    /// A hash of what it takes and returns, which both ends must have alike. 0 on the wire is "unknown" and matches
    /// every other; no method here has that.
    #[must_use]
    pub fn fingerprint(&self) -> u64 {
        self.traced().fingerprint
    }

    /// What it takes and returns, with the fields of all types in it: the text whose hash is the fingerprint.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.traced().text
    }

    /// What was given with [`with_shape`](Self::with_shape).
    #[must_use]
    pub fn shape(&self) -> Option<MethodShape> {
        self.shape.map(|shape| shape())
    }

    fn traced(&self) -> &Traced {
        self.traced.get_or_init(|| {
            let text = self
                .shape()
                .map_or_else(|| self.signature.to_owned(), |shape| shape.text());
            let fingerprint = fingerprint(&text);
            Traced { text, fingerprint }
        })
    }
}

/// The number that stands for a service's or a method's name on the wire: FNV-1a, 32 bits, of its UTF-8 bytes.
/// PROTOCOL.md "Names and fingerprints"; the function is from <https://datatracker.ietf.org/doc/html/rfc9923>.
#[must_use]
pub const fn wire_id(name: &str) -> u32 {
    let bytes = name.as_bytes();
    let mut hash: u32 = 0x811c_9dc5;
    let mut i = 0;
    while i < bytes.len() {
        hash = (hash ^ bytes[i] as u32).wrapping_mul(0x0100_0193);
        i += 1;
    }
    hash
}

/// The fingerprint of a method's text: FNV-1a, 64 bits, of its UTF-8 bytes; never 0, which is "unknown".
#[must_use]
pub const fn fingerprint(text: &str) -> u64 {
    let bytes = text.as_bytes();
    let mut hash: u64 = 0xcbf2_9ce4_8422_2325;
    let mut i = 0;
    while i < bytes.len() {
        hash = (hash ^ bytes[i] as u64).wrapping_mul(0x0100_0000_01b3);
        i += 1;
    }
    if hash == 0 { 1 } else { hash }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wire_ids_are_fnv_1a() {
        // Test vectors of the function's authors, http://www.isthe.com/chongo/src/fnv/test_fnv.c
        assert_eq!(wire_id(""), 0x811c_9dc5);
        assert_eq!(wire_id("a"), 0xe40c_292c);
        assert_eq!(wire_id("foobar"), 0xbf9c_f968);
        assert_eq!(fingerprint("foobar"), 0x8594_4171_f739_67e8);
    }
}
