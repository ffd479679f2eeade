//! One function for each kind of frame; PROTOCOL.md section 5. Requests have a file of their own.

use super::{Frame, MORE, OPENER, STREAM};

/// A method's value.
#[must_use]
pub fn response(call: (u32, u32), body: &[u8]) -> Frame {
    Frame::new(2, 0, call).with_head([0; 4]).with_body(body)
}

/// A method's `Err`.
#[must_use]
pub fn failed(call: (u32, u32), body: &[u8]) -> Frame {
    Frame::new(2, 0, call).with_head([1, 0, 0, 0]).with_body(body)
}

/// The fault that a call ended with, as [`fault_record`] makes it.
#[must_use]
pub fn faulted(call: (u32, u32), record: Vec<u8>) -> Frame {
    Frame::new(2, 0, call).with_head([2, 0, 0, 0]).with_body(record)
}

/// The first part of a value of `total` bytes.
#[must_use]
pub fn large_response(call: (u32, u32), total: u64, part: &[u8]) -> Frame {
    let head = [&[0; 4][..], &total.to_le_bytes()].concat();
    Frame::new(2, MORE, call).with_head(head).with_body(part)
}

/// The answer of a method that returns a stream: its items follow, and their end ends the call.
#[must_use]
pub fn stream(call: (u32, u32)) -> Frame {
    Frame::new(2, STREAM, call).with_head([0; 4])
}

/// An item of a response; [`Frame::by_caller`] makes it one behind a request.
#[must_use]
pub fn item(call: (u32, u32), body: &[u8]) -> Frame {
    Frame::new(5, 0, call).with_body(body)
}

/// The first part of an item of `total` bytes.
#[must_use]
pub fn large_item(call: (u32, u32), total: u64, part: &[u8]) -> Frame {
    Frame::new(5, MORE, call)
        .with_head(total.to_le_bytes())
        .with_body(part)
}

/// The next part of an item.
#[must_use]
pub fn item_part(call: (u32, u32), more: bool, part: &[u8]) -> Frame {
    response_part(call, more, part)
}

/// The end of the items: all were sent.
#[must_use]
pub fn end(call: (u32, u32)) -> Frame {
    Frame::new(6, 0, call).with_head([0; 4])
}

/// The end of the items by the sender's own error.
#[must_use]
pub fn end_failed(call: (u32, u32), body: &[u8]) -> Frame {
    end(call).with_head([1, 0, 0, 0]).with_body(body)
}

/// The end of the items by a fault, as [`fault_record`] makes it.
#[must_use]
pub fn end_faulted(call: (u32, u32), record: Vec<u8>) -> Frame {
    end(call).with_head([2, 0, 0, 0]).with_body(record)
}

/// How many bytes of the items of a call are granted in all; those behind a request, unless it is
/// [by the caller](Frame::by_caller).
#[must_use]
pub fn stream_credit(call: (u32, u32), granted: u64) -> Frame {
    Frame::new(9, STREAM, call).with_head(granted.to_le_bytes())
}

/// A call that did not run: overloaded. `.with_body(fault_record(..))` gives another reason.
#[must_use]
pub fn refused(call: (u32, u32)) -> Frame {
    Frame::new(3, 0, call).with_body([1, 0, 1, 0])
}

/// The body of a refusal or a fault; the codes and outcomes are in PROTOCOL.md section 8.
#[must_use]
pub fn fault_record(code: u16, outcome: u8, text: &str) -> Vec<u8> {
    [&code.to_le_bytes()[..], &[outcome, 0], &[0; 16], text.as_bytes()].concat()
}

/// The next part of a request's body.
#[must_use]
pub fn request_part(call: (u32, u32), more: bool, part: &[u8]) -> Frame {
    Frame::new(4, OPENER | if more { MORE } else { 0 }, call).with_body(part)
}

/// The next part of a response's body.
#[must_use]
pub fn response_part(call: (u32, u32), more: bool, part: &[u8]) -> Frame {
    Frame::new(4, if more { MORE } else { 0 }, call).with_body(part)
}

/// The caller does not wait any more.
#[must_use]
pub fn cancel(call: (u32, u32)) -> Frame {
    Frame::new(7, OPENER, call)
}

/// A call without a result is over. `done((0, 1)).with_body(..)` tells of several.
#[must_use]
pub fn done((slot, generation): (u32, u32)) -> Frame {
    let pair = [slot.to_le_bytes(), generation.to_le_bytes()].concat();
    Frame::new(8, 0, (0, 0)).with_body(pair)
}

/// How many bytes of large request bodies are granted in all.
#[must_use]
pub fn credit(granted: u64) -> Frame {
    Frame::new(9, 0, (0, 0)).with_head(granted.to_le_bytes())
}

/// Asks for a sign of life.
#[must_use]
pub fn ping(payload: u64) -> Frame {
    Frame::new(10, 0, (0, 0)).with_head(payload.to_le_bytes())
}

/// A sign of life.
#[must_use]
pub fn pong(payload: u64) -> Frame {
    Frame::new(11, 0, (0, 0)).with_head(payload.to_le_bytes())
}

/// The end of new calls: 0, draining; 1, a protocol error.
#[must_use]
pub fn goaway(reason: u16, text: &str) -> Frame {
    Frame::new(12, 0, (0, 0))
        .with_head(reason.to_le_bytes())
        .with_body(text)
}

/// The last frame of an end that leaves.
#[must_use]
pub fn farewell() -> Frame {
    Frame::new(13, 0, (0, 0))
}

/// The answer to a farewell.
#[must_use]
pub fn farewell_ack() -> Frame {
    Frame::new(14, 0, (0, 0))
}

/// For what either end of a call sends.
impl Frame {
    /// The same frame, sent by the caller of its call.
    #[must_use]
    pub fn by_caller(self) -> Self {
        self.with_flags(OPENER)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::frame::{large_request, request, told};

    #[test]
    fn frames_of_streams_are_told_in_short() {
        let call = (3, 1);
        let frames = [
            (request(call, b"").upload().with_buffer(1), "request 3.1 stream"),
            (large_request(call, 9, b"x").upload(), "request 3.1 stream more"),
            (stream(call), "response 3.1 stream"),
            (item(call, b"x"), "item 3.1"),
            (large_item(call, 9, b"x").by_caller(), "item 3.1 more"),
            (item_part(call, true, b"x"), "fragment 3.1 more"),
            (end(call), "end 3.1"),
            (end_failed(call, b"x"), "end 3.1 status 1"),
            (end_faulted(call, fault_record(11, 3, "")), "end 3.1 status 2"),
            (stream_credit(call, 5000), "credit 3.1 5000"),
            (
                stream_credit(call, 5000).with_head([]),
                "credit 3.1 without its number",
            ),
            (credit(5000), "credit 5000"),
        ];
        for (frame, text) in frames {
            assert_eq!(told(&frame.bytes()), [text]);
        }
    }
}
