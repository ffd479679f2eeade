//! Requests, and what their heads say.

use std::time::Duration;

use super::{Frame, MORE, ONEWAY, OPENER, STREAM};
use crate::method::{Method, wire_id};

/// How many bytes the head of a request has, without the total of a large body.
pub const REQUEST_HEAD: usize = 28;

/// The fixed head of a request of service 1, method 2, with nothing special.
#[must_use]
pub fn request_head(depth: u8) -> Vec<u8> {
    let mut head = vec![0; REQUEST_HEAD];
    (head[0], head[4], head[24]) = (1, 2, depth);
    head
}

/// A call. [`Frame::to`] says of what; the arguments are encoded as PROTOCOL.md section 14 says.
#[must_use]
pub fn request(call: (u32, u32), body: &[u8]) -> Frame {
    Frame::new(1, OPENER, call)
        .with_head(request_head(0))
        .with_body(body)
}

/// The first part of a call with a body of `total` bytes.
#[must_use]
pub fn large_request(call: (u32, u32), total: u64, part: &[u8]) -> Frame {
    let head = [&request_head(0)[..], &total.to_le_bytes()].concat();
    Frame::new(1, OPENER | MORE, call).with_head(head).with_body(part)
}

/// For requests.
///
/// # Panics
/// If the head is shorter than that of a request.
impl Frame {
    /// The same request, of this method of the service mounted under that name; any signature.
    #[must_use]
    pub fn to(self, service: &str, method: &str) -> Self {
        self.with_head_bytes(0, wire_id(service).to_le_bytes())
            .with_head_bytes(4, wire_id(method).to_le_bytes())
    }

    /// The same request, of this method with its signature.
    #[must_use]
    pub fn to_method(self, service: &str, method: &Method) -> Self {
        self.to(service, method.name)
            .with_head_bytes(8, method.fingerprint().to_le_bytes())
    }

    /// The same request, whose caller stops waiting after `limit`; to the microsecond.
    #[must_use]
    pub fn with_time_left(self, limit: Duration) -> Self {
        let micros = u64::try_from(limit.as_micros()).unwrap_or(u64::MAX);
        self.with_head_bytes(16, micros.to_le_bytes())
    }

    /// The same request, made by a handler whose own call has the depth below this one.
    #[must_use]
    pub fn with_depth(self, depth: u8) -> Self {
        self.with_head_bytes(24, [depth])
    }

    /// The same request, whose result nobody waits for.
    #[must_use]
    pub fn oneway(self) -> Self {
        self.with_flags(ONEWAY)
    }

    /// The same request, behind which items follow.
    #[must_use]
    pub fn upload(self) -> Self {
        self.with_flags(STREAM)
    }

    /// The same request, whose streams begin with that many KiB at most.
    #[must_use]
    pub fn with_buffer(self, kib: u16) -> Self {
        self.with_head_bytes(26, kib.to_le_bytes())
    }

    fn with_head_bytes<const N: usize>(mut self, at: usize, bytes: [u8; N]) -> Self {
        self.head[at..at + N].copy_from_slice(&bytes);
        self
    }
}
