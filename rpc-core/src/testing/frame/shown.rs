//! Frames in print, in short and in full.

use std::fmt;

use super::form::u32_at;
use super::{Frame, MORE, STREAM};

impl Frame {
    /// The frame in short, and its bytes as far as they fit a line or two.
    pub(crate) fn in_full(&self) -> String {
        const SHOWN: usize = 48;
        let show = |bytes: &[u8]| match bytes {
            [] => "none".to_owned(),
            bytes if bytes.len() <= SHOWN => format!("{bytes:02x?}"),
            bytes => format!("{:02x?}, and {} bytes more", &bytes[..SHOWN], bytes.len() - SHOWN),
        };
        let Self {
            flags, head, body, ..
        } = self;
        format!(
            "{self}; flags {flags:#04x}; head {}; body {}",
            show(head),
            show(body)
        )
    }

    fn shown_number(&self) -> String {
        self.try_number()
            .map_or_else(|| " without its number".to_owned(), |number| format!(" {number}"))
    }
}

impl fmt::Display for Frame {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match NAMES.get(usize::from(self.kind)) {
            Some(name) if self.kind > 0 => f.write_str(name)?,
            _ => write!(f, "kind {}", self.kind)?,
        }
        let call = || format!(" {}.{}", self.slot, self.generation);
        match self.kind {
            1..=7 => f.write_str(&call())?,
            8 => self.body.chunks(8).try_for_each(|pair| show_pair(f, pair))?,
            9 if self.flags & STREAM != 0 => write!(f, "{}{}", call(), self.shown_number())?,
            9..=11 => f.write_str(&self.shown_number())?,
            _ => {}
        }
        match (self.kind, self.head.first()) {
            (1 | 2, _) if self.flags & STREAM != 0 => f.write_str(" stream")?,
            (6, Some(status @ 1..)) => write!(f, " status {status}")?,
            _ => {}
        }
        if self.flags & MORE != 0 {
            f.write_str(" more")?;
        }
        Ok(())
    }
}

/// By kind.
const NAMES: [&str; 15] = [
    "",
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

fn show_pair(f: &mut fmt::Formatter<'_>, pair: &[u8]) -> fmt::Result {
    match (u32_at(pair, 0), u32_at(pair, 4)) {
        (Some(slot), Some(generation)) => write!(f, " {slot}.{generation}"),
        _ => f.write_str(" half a pair"),
    }
}
