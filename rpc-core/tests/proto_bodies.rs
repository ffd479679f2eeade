//! Bodies on their way: packets, fragments, turns, and the window.

mod support;

use std::time::Duration;

use pipe_rpc_core::proto::{Limits, code};
use pipe_rpc_core::testing::frame::{self, Frame, HEADER, MORE, REQUEST_HEAD};
use support::pair::{LIMITS, MAX_PACKET, Pair, body, bytes, head, oneway, refusal};

/// The largest request body that fits one packet.
const FITS: usize = MAX_PACKET - HEADER - REQUEST_HEAD;

#[test]
fn many_small_frames_share_a_packet() {
    let mut pair = Pair::with(Limits {
        max_calls: 100,
        ..LIMITS
    });
    for _ in 0..100 {
        pair.client.call(10);
    }
    // 75 frames of 54 bytes fit 4096 bytes.
    assert_eq!(pair.client.sends().len(), 75);
    assert_eq!(pair.client.sends().len(), 25);
    assert_eq!(pair.client.take(), None);
}

#[test]
fn a_body_is_whole_around_every_limit() {
    let sizes = [
        0,
        1,
        117,
        118,
        119,
        FITS - 9,
        FITS - 8,
        FITS - 7,
        FITS - 1,
        FITS,
        FITS + 1,
        MAX_PACKET - 21,
        MAX_PACKET - 20,
        MAX_PACKET - 19,
        MAX_PACKET,
        2 * MAX_PACKET,
        100_000,
    ];
    for size in sizes {
        let mut pair = Pair::new();
        pair.client.call(size);
        pair.settle();
        let call = pair.server.incoming();
        assert_eq!(call.body.as_ref(), bytes(size), "{size} bytes there");
        pair.server
            .proto
            .answer(call.id, pipe_rpc_core::proto::Answer::Succeeded(call.body));
        pair.settle();
        assert_eq!(
            pair.client.news()[0],
            format!("call 0.1 succeeded with {size} bytes")
        );
    }
}

#[test]
fn a_body_that_just_fits_has_a_packet_and_a_byte_more_has_two() {
    let mut pair = Pair::new();
    pair.client.call(FITS);
    assert_eq!(pair.client.sends(), ["request 0.1"]);
    pair.client.call(FITS + 1);
    assert_eq!(pair.client.sends(), ["request 1.1 more"]);
    assert_eq!(pair.client.sends(), ["fragment 1.1"]);
    assert_eq!(pair.client.take(), None);
}

#[test]
fn bodies_take_turns_and_small_frames_get_through_between() {
    let mut pair = Pair::with(Limits {
        window: 1 << 20,
        ..LIMITS
    });
    pair.client.call(9000);
    pair.client.call(9000);
    let mut order = Vec::new();
    for _ in 0..4 {
        pair.client.proto.ping(7);
        order.extend(pair.client.sends());
        order.extend(pair.client.sends());
    }
    assert_eq!(
        order,
        [
            "ping 7",
            "request 0.1 more",
            "ping 7",
            "request 1.1 more",
            "ping 7",
            "fragment 0.1 more",
            "ping 7",
            "fragment 1.1 more",
        ]
    );
}

#[test]
fn a_flood_of_small_frames_does_not_starve_a_body() {
    let mut pair = Pair::with(Limits {
        max_calls: 1000,
        ..LIMITS
    });
    pair.client.call(9000);
    for _ in 0..999 {
        pair.client.call(100);
    }
    let packets: Vec<_> = std::iter::from_fn(|| pair.client.take()).collect();
    let places: Vec<_> = (0..packets.len())
        .filter(|at| {
            Frame::all_of(&packets[*at])
                .iter()
                .any(|frame| frame.kind == 4 || frame.flags & MORE != 0)
        })
        .collect();
    assert_eq!(places, [1, 3, 5], "every second packet until it has left");
}

#[test]
fn the_window_goes_negative_by_one_body_and_then_the_next_waits() {
    let mut pair = Pair::new();
    pair.client.call(9_999);
    pair.client.call(50_000);
    pair.client.call(5000);
    let begun: Vec<_> = pair.client.frames();
    assert!(begun.iter().any(|frame| frame.slot == 1), "one goes beyond");
    assert!(begun.iter().all(|frame| frame.slot != 2), "the next waits");
    // Small calls do not.
    pair.client.call(10);
    assert_eq!(pair.client.sends(), ["request 3.1"]);
}

#[test]
fn credit_returns_when_the_handler_begins_and_only_once() {
    let mut pair = Pair::new();
    let call = pair.client.call(20_000);
    pair.settle();
    assert_eq!(pair.server.take(), None);
    pair.server.proto.begin(call);
    assert_eq!(pair.server.sends(), ["credit 30000"]);
    pair.server.proto.begin(call);
    assert_eq!(pair.server.take(), None);
    pair.server.succeed(call, 1);
    assert_eq!(pair.server.sends(), ["response 0.1"]);
}

#[test]
fn credit_returns_when_the_call_ends_before_it_began() {
    let mut pair = Pair::new();
    let call = pair.client.call(20_000);
    pair.settle();
    pair.server.proto.answer(call, refusal(code::OVERLOADED));
    assert_eq!(pair.server.sends(), ["refused 0.1", "credit 30000"]);
}

#[test]
fn credit_returns_when_a_half_sent_body_is_cancelled() {
    let mut pair = Pair::new();
    let call = pair.client.call(20_000);
    pair.client.call(20_000);
    pair.forth();
    pair.client.abandon(call);
    pair.forth();
    assert_eq!(pair.server.sends(), ["done 0.1", "credit 30000"]);
    pair.server.news();
}

#[test]
fn a_waiting_body_starts_when_the_body_before_it_was_cancelled() {
    let mut pair = Pair::new();
    let call = pair.client.call(20_000);
    pair.client.call(20_001);
    pair.forth();
    pair.client.abandon(call);
    pair.settle();
    assert_eq!(pair.server.news(), ["call 1.1 came with 20001 bytes"]);
}

#[test]
fn credit_of_many_bodies_is_told_in_one_frame() {
    let mut pair = Pair::with(Limits {
        window: 1 << 20,
        ..LIMITS
    });
    let calls: Vec<_> = (0..3).map(|_| pair.client.call(10_000)).collect();
    pair.settle();
    calls.into_iter().for_each(|call| pair.server.proto.begin(call));
    assert_eq!(pair.server.sends(), [format!("credit {}", (1 << 20) + 30_000)]);
}

#[test]
fn a_lower_total_of_credit_changes_nothing() {
    let mut pair = Pair::new();
    pair.client.call(20_000);
    pair.client.call(20_000);
    pair.client.frames();
    pair.client.hear_frame(&frame::credit(20_000)).unwrap();
    pair.client.hear_frame(&frame::credit(5)).unwrap();
    assert_eq!(pair.client.take(), None, "20000 of 20000 are charged");
    pair.client.hear_frame(&frame::credit(20_001)).unwrap();
    assert_eq!(pair.client.sends(), ["request 1.1 more"]);
    pair.client.hear_frame(&frame::credit(u64::MAX)).unwrap();
}

#[test]
fn a_refused_large_body_stops_and_its_late_fragments_are_ignored() {
    let mut pair = Pair::new();
    pair.server.proto.drain("bye");
    pair.client.call(50_000);
    pair.forth();
    let late = pair.client.take().unwrap();
    pair.back();
    assert_eq!(
        pair.client.news(),
        [
            "goaway: bye",
            "call 0.1 faulted: code 4, outcome 1",
            "call 0.1 is free"
        ]
    );
    assert_eq!(pair.client.take(), None, "the rest stays here");
    pair.server.take_in(&late);
    assert_eq!(pair.server.news(), [""; 0]);
    // The credit is whole: another body of any size may begin.
    pair.client.call(10_000);
    assert_eq!(pair.client.sends(), ["request 0.2 more"]);
}

#[test]
fn a_body_over_the_limit_is_refused_and_the_connection_lives() {
    let mut pair = Pair::new();
    let large = frame::large_request((0, 1), LIMITS.max_body + 1, b"begin");
    pair.server.hear_frame(&large).unwrap();
    let answer = pair.server.frames();
    assert_eq!(answer[0].to_string(), "refused 0.1");
    let [size, limit] = [4, 12].map(|at| u64::from_le_bytes(answer[0].body[at..at + 8].try_into().unwrap()));
    assert_eq!((size, limit), (LIMITS.max_body + 1, LIMITS.max_body));
    pair.server
        .hear_frame(&frame::request_part((0, 1), true, b"late"))
        .unwrap();
    pair.server.hear_frame(&frame::request((1, 1), b"next")).unwrap();
    assert_eq!(pair.server.news(), ["call 1.1 came with 4 bytes"]);
}

#[test]
fn a_large_response_needs_no_credit() {
    let mut pair = Pair::with(Limits { window: 1, ..LIMITS });
    let call = pair.client.call(1);
    pair.settle();
    pair.server.succeed(call, 1 << 20);
    pair.settle();
    assert_eq!(
        pair.client.news(),
        ["call 0.1 succeeded with 1048576 bytes", "call 0.1 is free"]
    );
}

#[test]
fn a_large_oneway_body_counts_like_any_other() {
    let mut pair = Pair::new();
    let call = pair.client.call_with(oneway(), 20_000).unwrap();
    assert!(!pair.client.proto.has_left(call));
    while pair.forth() {}
    assert!(pair.client.proto.has_left(call));
    assert!(pair.server.incoming().head.oneway);
    pair.server.proto.begin(call);
    pair.server.succeed(call, 0);
    assert_eq!(pair.server.sends(), ["done 0.1", "credit 30000"]);
}

#[test]
fn a_small_call_after_a_large_one_of_the_same_caller_may_overtake_it() {
    let mut pair = Pair::new();
    pair.client.call(9000);
    pair.client.call(1);
    pair.settle();
    assert_eq!(
        pair.server.news(),
        ["call 1.1 came with 1 bytes", "call 0.1 came with 9000 bytes"]
    );
}

#[test]
fn the_deadline_of_a_large_body_is_written_when_its_first_part_leaves() {
    let mut pair = Pair::new();
    pair.client.call_within(Duration::from_millis(10), 9000);
    pair.client.pass(Duration::from_millis(3));
    pair.forth();
    pair.pass(Duration::from_millis(2));
    pair.settle();
    let call = pair.server.incoming();
    assert_eq!(
        call.head.deadline.unwrap() - pair.server.now(),
        Duration::from_millis(5)
    );
}

#[test]
fn a_fault_with_the_longest_text_fits_the_smallest_packet() {
    use pipe_rpc_core::proto::{Answer, FaultRecord};
    let long = || FaultRecord {
        text: "ä".repeat(10_000),
        ..FaultRecord::default()
    };
    for answer in [Answer::Refused(long()), Answer::Faulted(long())] {
        let mut pair = Pair::new();
        let call = pair.client.call(1);
        pair.settle();
        pair.server.proto.answer(call, answer);
        pair.settle();
        assert!(pair.client.news()[0].starts_with("call 0.1 faulted"));
    }
    let mut pair = Pair::new();
    pair.server.proto.drain(&"ä".repeat(10_000));
    pair.settle();
    assert!(pair.client.news()[0].starts_with("goaway: ää"));
}

#[test]
fn what_is_kept_of_a_small_body_does_not_pin_its_packet() {
    let mut pair = Pair::new();
    assert!(pair.client.proto.send_request(head(), body(100)).is_some());
    pair.forth();
    let kept = pair.server.incoming().body.into_bytes();
    assert!(kept.is_unique(), "shared with nothing");
}

/// So long its memory is kept for further ones.
#[test]
fn a_very_large_body_has_the_end_woken_ten_seconds_after_it_began() {
    for (size, wait) in [(4 << 20, None), (5 << 20, Some(Duration::from_secs(10)))] {
        let mut pair = Pair::with(Limits {
            max_body: size,
            window: size,
            ..LIMITS
        });
        let body = vec![7; size as usize].into();
        assert!(pair.client.proto.send_request(head(), body).is_some());
        assert!(pair.forth());
        let woken = wait.map(|wait| pair.server.now() + wait);
        assert_eq!(pair.server.proto.next_timeout(), woken, "{size} bytes");
        pair.pass(Duration::from_secs(10));
        assert_eq!(pair.server.proto.next_timeout(), None);
    }
}
