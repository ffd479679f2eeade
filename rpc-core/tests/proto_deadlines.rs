//! Deadlines, at either end and at every stage of a call.

mod support;

use std::time::Duration;

use pipe_rpc_core::testing::frame::{large_request, request};
use support::pair::{LIMITS, Pair};

const LIMIT: Duration = Duration::from_millis(10);

#[test]
fn a_body_that_never_left_is_late_and_unsent() {
    let mut pair = Pair::new();
    pair.client.call_within(LIMIT, 20_000);
    pair.client.pass(LIMIT);
    assert_eq!(
        pair.client.news(),
        ["call 0.1 is free", "call 0.1 is late, unsent"]
    );
    assert_eq!(pair.client.take(), None);
}

#[test]
fn a_sent_call_is_late_and_the_callee_is_told() {
    let mut pair = Pair::new();
    let call = pair.client.call_within(LIMIT, 5);
    pair.settle();
    pair.client.pass(LIMIT);
    assert_eq!(pair.client.news(), ["call 0.1 is late"]);
    assert_eq!(pair.client.proto.next_timeout(), None);
    pair.settle();
    pair.server.news();
    pair.server.proto.answer_interrupted(call);
    pair.settle();
    assert_eq!(pair.client.news(), ["call 0.1 is free"]);
}

#[test]
fn the_callee_stops_a_late_call_by_itself() {
    let mut pair = Pair::new();
    let call = pair.client.call_within(LIMIT, 5);
    pair.settle();
    pair.server.news();
    assert_eq!(pair.server.proto.next_timeout(), Some(pair.server.now() + LIMIT));
    pair.server.pass(LIMIT);
    assert_eq!(pair.server.news(), ["call 0.1 is to stop"]);
    assert_eq!(pair.server.proto.next_timeout(), None, "once");
    pair.server.proto.begin(call);
    pair.server.proto.answer_interrupted(call);
    pair.settle();
    assert_eq!(
        pair.client.news()[0],
        "call 0.1 faulted: code 2, outcome 2",
        "it may have run"
    );
}

#[test]
fn a_call_that_is_late_before_it_began_is_refused() {
    let mut pair = Pair::new();
    let call = pair.client.call_within(LIMIT, 5);
    pair.settle();
    pair.server.pass(LIMIT);
    pair.server.proto.answer_interrupted(call);
    pair.settle();
    assert_eq!(pair.client.news()[0], "call 0.1 faulted: code 2, outcome 1");
}

#[test]
fn a_body_that_is_late_while_it_arrives_is_refused_and_its_credit_returns() {
    let mut pair = Pair::new();
    pair.client.call_within(LIMIT, 20_000);
    pair.forth();
    pair.server.pass(LIMIT);
    let sent = pair.server.sends();
    assert_eq!(sent, ["refused 0.1", "credit 30000"]);
    assert_eq!(pair.server.proto.incoming_open(), 0);
    // The fragments that were under way are late, not wrong.
    while pair.forth() {}
    assert_eq!(pair.server.news(), [""; 0]);
}

#[test]
fn a_late_call_that_succeeds_all_the_same_is_answered() {
    let mut pair = Pair::new();
    let call = pair.client.call_within(LIMIT, 5);
    pair.settle();
    pair.server.pass(LIMIT);
    pair.server.succeed(call, 3);
    pair.settle();
    assert_eq!(pair.client.news()[0], "call 0.1 succeeded with 3 bytes");
}

#[test]
fn a_deadline_beyond_reason_is_none() {
    let mut pair = Pair::new();
    for (slot, remaining) in [(0, u64::MAX), (1, 0), (2, 366 * 24 * 3600 * 1_000_000)] {
        let mut frame = request((slot, 1), b"");
        frame.head[16..24].copy_from_slice(&remaining.to_le_bytes());
        pair.server.hear_frame(&frame).unwrap();
        assert_eq!(pair.server.incoming().head.deadline, None);
    }
    assert_eq!(pair.server.proto.next_timeout(), None);
}

#[test]
fn the_timeout_is_the_nearest_deadline_of_either_direction() {
    let mut pair = Pair::new();
    pair.client.call_within(3 * LIMIT, 5);
    pair.client.call_within(2 * LIMIT, 5);
    pair.server.call_within(LIMIT, 5);
    pair.settle();
    for end in [&pair.client, &pair.server] {
        assert_eq!(end.proto.next_timeout(), Some(end.now() + LIMIT));
    }
}

#[test]
fn as_many_late_calls_as_may_be_granted_end_in_one_go() {
    let max_calls = pipe_rpc_core::proto::MAX_CREDIT;
    let mut pair = Pair::with(pipe_rpc_core::proto::Limits { max_calls, ..LIMITS });
    for _ in 0..max_calls {
        pair.client.call_within(LIMIT, 1);
    }
    pair.settle();
    assert_eq!(pair.server.news().len(), max_calls as usize);
    pair.pass(LIMIT);
    assert_eq!(pair.client.news().len(), max_calls as usize);
    assert_eq!(pair.server.news().len(), max_calls as usize);
}

#[test]
fn a_body_announced_with_a_deadline_is_watched_from_its_first_part_on() {
    let mut pair = Pair::new();
    let mut first = large_request((0, 1), 9000, b"first");
    first.head[16..24].copy_from_slice(&10_000u64.to_le_bytes());
    pair.server.hear_frame(&first).unwrap();
    assert_eq!(pair.server.proto.next_timeout(), Some(pair.server.now() + LIMIT));
}
