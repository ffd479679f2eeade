//! The last packets of a script, for the text of a failure.

use std::collections::VecDeque;
use std::fmt;

use super::Frame;

/// How many packets are remembered.
const REMEMBERED: usize = 12;

/// How many frames of a packet are named.
const NAMED: usize = 4;

/// The last packets that a scripted peer sent and received.
#[derive(Default)]
pub(super) struct Transcript(VecDeque<String>);

impl Transcript {
    pub(super) fn sent(&mut self, packet: &[u8]) {
        self.note("sent", packet);
    }

    pub(super) fn received(&mut self, packet: &[u8]) {
        self.note("received", packet);
    }

    fn note(&mut self, what: &str, packet: &[u8]) {
        if self.0.len() == REMEMBERED {
            self.0.pop_front();
        }
        self.0.push_back(format!("{what} {}", in_short(packet)));
    }
}

impl fmt::Display for Transcript {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() {
            return f.write_str("\n    nothing");
        }
        self.0.iter().try_for_each(|line| write!(f, "\n    {line}"))
    }
}

fn in_short(packet: &[u8]) -> String {
    match packet {
        [b'p', b'i', b'p', b'e', b'-', b'r', b'p', b'c', ..] => return "a Hello".to_owned(),
        [b'p', b'i', b'p', b'e', b'-', b'r', b'e', b'j', ..] => return "a Reject".to_owned(),
        _ => {}
    }
    let mut parts = Vec::new();
    let mut rest = packet;
    while let Some((frame, next)) = Frame::split_first(rest).filter(|_| parts.len() < NAMED) {
        parts.push(frame.to_string());
        rest = next;
    }
    if !rest.is_empty() {
        parts.push(format!("{} bytes more", rest.len()));
    }
    parts.join(", ")
}
