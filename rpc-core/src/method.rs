//! What is known of a method before it is called.

use std::time::Duration;

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
    /// A hash of the signature; 0 is "unknown" and matches every other.
    pub fingerprint: u64,
    /// The signature as text, for messages about a changed one.
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
}

impl Method {
    /// A unary method without options. `service` and `name` are as on the wire; `signature` is a text for people, whose
    /// hash is the fingerprint.
    #[must_use]
    pub const fn new(service: &'static str, name: &'static str, signature: &'static str) -> Self {
        Self {
            service,
            name,
            id: wire_id(name),
            fingerprint: fingerprint(signature),
            signature,
            oneway: false,
            idempotent: false,
            spawn: false,
            finish: false,
            ordered: false,
            timeout: None,
            max_body: None,
            buffer: 0,
        }
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

/// The fingerprint of a signature: FNV-1a, 64 bits, of its UTF-8 bytes; never 0, which is "unknown".
#[must_use]
pub const fn fingerprint(signature: &str) -> u64 {
    let bytes = signature.as_bytes();
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
