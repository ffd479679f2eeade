//! Large items of many streams as PROTOCOL.md section 7.1 has them: how many may be half there at a time.

mod support;

use pipe_rpc_core::proto::{CallId, ItemsEnd, Limits, ProtocolError};
use pipe_rpc_core::testing::frame::{Frame, cancel, done, end_failed, large_item, request_part};
use support::pair::{LIMITS, Pair, head};
use support::streaming::{ours, theirs, upload};

/// Two packets.
const TWO: usize = 8000;

/// More than the window of 10,000.
const BEYOND: usize = 20_000;

/// So many calls of the client's that items follow; their handlers run.
fn uploads(count: usize) -> (Pair, Vec<CallId>) {
    uploads_within(LIMITS, count)
}

fn uploads_within(limits: Limits, count: usize) -> (Pair, Vec<CallId>) {
    let mut pair = Pair::with(limits);
    let calls = (0..count).map(|_| pair.client.call_with(upload(), 1).expect("credit is left"));
    let calls = calls.collect();
    pair.settle();
    pair.server.news();
    (pair, calls)
}

/// So many calls of the client's that the server answers by streams.
fn downloads(count: usize) -> (Pair, Vec<CallId>) {
    let mut pair = Pair::new();
    let calls: Vec<_> = (0..count)
        .map(|_| pair.client.call_with(head(), 1).expect("credit is left"))
        .collect();
    pair.settle();
    assert!(calls.iter().all(|call| pair.server.proto.open_stream(*call)));
    pair.settle();
    pair.server.news();
    pair.client.news();
    (pair, calls)
}

/// What an end sends, one packet after the other.
fn all(mut sends: impl FnMut() -> Vec<String>) -> Vec<String> {
    let packets = std::iter::from_fn(|| Some(sends()).filter(|packet| !packet.is_empty()));
    packets.flatten().collect()
}

#[test]
fn further_ones_wait_while_those_under_way_fill_the_window() {
    let (mut pair, calls) = uploads(4);
    for call in &calls {
        pair.client.send_item(ours(*call), TWO);
    }
    assert_eq!(
        all(|| pair.client.sends()),
        [
            "item 0.1 more",
            "item 1.1 more",
            "fragment 0.1",
            "fragment 1.1",
            "item 2.1 more",
            "item 3.1 more",
            "fragment 2.1",
            "fragment 3.1",
        ]
    );
}

#[test]
fn one_may_always_be_under_way() {
    let limits = Limits { window: 0, ..LIMITS };
    let (mut pair, calls) = uploads_within(limits, 2);
    for call in &calls {
        pair.client.send_item(ours(*call), TWO);
    }
    pair.settle();
    assert_eq!(
        pair.server.news(),
        [
            "call 0.1 has an item of 8000 bytes",
            "call 1.1 has an item of 8000 bytes"
        ]
    );
}

#[test]
fn one_that_is_whole_and_not_taken_holds_no_place() {
    let (mut pair, calls) = uploads(3);
    for call in &calls {
        pair.client.send_item(ours(*call), BEYOND);
    }
    pair.settle();
    assert_eq!(pair.server.news().len(), 3);
}

#[test]
fn small_items_and_calls_do_not_wait_for_them() {
    let (mut pair, calls) = uploads(3);
    pair.client.send_item(ours(calls[0]), BEYOND);
    pair.client.send_item(ours(calls[1]), BEYOND);
    pair.client.send_item(ours(calls[2]), 10);
    pair.client.call(10);
    assert!(pair.forth() && pair.forth());
    let at_once = ["call 2.1 has an item of 10 bytes", "call 3.1 came with 10 bytes"];
    assert_eq!(pair.server.news(), at_once);
}

#[test]
fn a_request_with_a_large_body_does_not_wait_for_them_nor_they_for_it() {
    let (mut pair, calls) = uploads(1);
    // It fills the window of requests for as long as its handler does not begin.
    pair.client.call(BEYOND);
    pair.settle();
    pair.client.send_item(ours(calls[0]), BEYOND);
    pair.settle();
    assert_eq!(
        pair.server.news(),
        [
            "call 1.1 came with 20000 bytes",
            "call 0.1 has an item of 20000 bytes"
        ]
    );
}

#[test]
fn the_cancel_of_a_half_sent_one_leaves_before_the_one_that_takes_its_place() {
    let (mut pair, calls) = uploads(2);
    for call in &calls {
        pair.client.send_item(ours(*call), BEYOND);
    }
    pair.forth();
    pair.client.abandon(calls[0]);
    assert!(pair.forth() && pair.forth());
    pair.settle();
    assert_eq!(
        pair.server.news(),
        ["call 0.1 is to stop", "call 1.1 has an item of 20000 bytes"]
    );
}

#[test]
fn one_that_is_cancelled_while_it_waits_leaves_nothing_behind() {
    let (mut pair, calls) = downloads(3);
    for call in &calls {
        pair.server.send_item(theirs(*call), BEYOND);
    }
    pair.back();
    pair.client.abandon(calls[1]);
    pair.forth();
    pair.server.proto.answer_interrupted(calls[1]);
    pair.settle();
    assert_eq!(
        pair.client.news(),
        [
            "call 1.1 is free",
            "call 0.1 has an item of 20000 bytes",
            "call 2.1 has an item of 20000 bytes"
        ]
    );
}

#[test]
fn the_end_of_a_stream_waits_for_its_item_in_line() {
    let (mut pair, calls) = uploads(2);
    for call in &calls {
        pair.client.send_item(ours(*call), BEYOND);
        pair.client.proto.end_upload(*call, ItemsEnd::Complete);
    }
    pair.settle();
    assert_eq!(
        pair.server.news(),
        [
            "call 0.1 has an item of 20000 bytes",
            "the items of call 0.1 are complete",
            "call 1.1 has an item of 20000 bytes",
            "the items of call 1.1 are complete",
        ]
    );
}

#[test]
fn each_end_has_a_window_of_its_own() {
    let (mut pair, calls) = downloads(1);
    let upload = pair.client.call_with(upload(), 1).unwrap();
    pair.settle();
    pair.server.news();
    pair.server.send_item(theirs(calls[0]), BEYOND);
    pair.client.send_item(ours(upload), BEYOND);
    assert_eq!(pair.client.sends(), ["item 1.1 more"]);
    assert_eq!(pair.server.sends(), ["item 0.1 more"]);
}

/// The first part of an item, of which the rest does not come.
fn begun(slot: u32, total: u64) -> Frame {
    large_item((slot, 1), total, b"begun")
}

/// That a peer began too many.
fn overrun(call: CallId) -> Result<(), ProtocolError> {
    Err(ProtocolError::ItemsOverrun { call })
}

#[test]
fn one_that_is_begun_beyond_the_window_ends_the_connection() {
    let (mut pair, calls) = uploads(3);
    assert_eq!(pair.server.hear_frame(&begun(0, 9999).by_caller()), Ok(()));
    assert_eq!(pair.server.hear_frame(&begun(1, 9999).by_caller()), Ok(()));
    assert_eq!(
        pair.server.hear_frame(&begun(2, 6).by_caller()),
        overrun(calls[2])
    );

    let (mut pair, calls) = downloads(2);
    assert_eq!(pair.client.hear_frame(&begun(0, 10_000)), Ok(()));
    assert_eq!(pair.client.hear_frame(&begun(1, 6)), overrun(calls[1]));
}

#[test]
fn a_callers_has_no_place_any_more_when_it_is_whole_or_its_stream_is_over() {
    type Ending = fn(&mut Pair, CallId) -> Result<(), ProtocolError>;
    let endings: [Ending; 5] = [
        |pair, _| {
            for (size, more) in [(4000, true), (4000, true), (1995, false)] {
                let rest = request_part((0, 1), more, &vec![0; size]);
                pair.server.hear_frame(&rest)?;
            }
            Ok(())
        },
        |pair, _| pair.server.hear_frame(&end_failed((0, 1), b"").by_caller()),
        |pair, _| {
            // Its handler may run on.
            pair.server.hear_frame(&cancel((0, 1)))
        },
        |pair, call| {
            pair.server.succeed(call, 1);
            Ok(())
        },
        |pair, call| {
            pair.server.proto.stop_items(call);
            Ok(())
        },
    ];
    for ending in endings {
        let (mut pair, calls) = uploads(2);
        assert_eq!(pair.server.hear_frame(&begun(0, 10_000).by_caller()), Ok(()));
        assert_eq!(ending(&mut pair, calls[0]), Ok(()));
        assert_eq!(pair.server.hear_frame(&begun(1, 10_000).by_caller()), Ok(()));
    }
}

#[test]
fn a_callees_has_no_place_any_more_when_its_stream_is_over() {
    type Ending = fn(&mut Pair, CallId) -> Result<(), ProtocolError>;
    let endings: [Ending; 3] = [
        |pair, _| pair.client.hear_frame(&end_failed((0, 1), b"")),
        |pair, call| {
            pair.client.abandon(call);
            Ok(())
        },
        |pair, call| {
            pair.client.abandon(call);
            pair.client.hear_frame(&done((0, 1)))
        },
    ];
    for ending in endings {
        let (mut pair, calls) = downloads(2);
        assert_eq!(pair.client.hear_frame(&begun(0, 10_000)), Ok(()));
        assert_eq!(ending(&mut pair, calls[0]), Ok(()));
        assert_eq!(pair.client.hear_frame(&begun(1, 10_000)), Ok(()));
    }
}

#[test]
fn late_ones_that_nobody_wants_take_no_place() {
    let (mut pair, calls) = uploads(3);
    for call in &calls[..2] {
        pair.server.succeed(*call, 1);
        pair.server.take();
    }
    for slot in [0, 1, 2] {
        assert_eq!(pair.server.hear_frame(&begun(slot, 10_000).by_caller()), Ok(()));
    }
}
