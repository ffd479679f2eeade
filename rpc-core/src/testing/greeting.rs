//! What a scripted peer says first.

use super::Hello;

/// The greeting of an honest client or server: version 1, 16 calls, 4 nested ones, a window of 1 MiB, bodies up to 16
/// MiB. Change what the test is about.
#[must_use]
pub fn hello() -> Hello {
    Hello {
        lowest: 1,
        highest: 1,
        features: 0,
        codecs: vec![1],
        max_packet: 65_536,
        max_calls: 16,
        max_nested: 4,
        window: 1 << 20,
        max_body: 1 << 24,
        stream: 256 << 10,
        secret: None,
        product: "a script".to_owned(),
        services: Vec::new(),
    }
}
