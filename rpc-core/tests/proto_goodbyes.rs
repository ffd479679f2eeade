//! Draining, farewells and pings.

mod support;

use pipe_rpc_core::testing::frame;
use support::pair::{Pair, nested};

#[test]
fn goaway_refuses_calls_of_depth_0_and_no_others() {
    let mut pair = Pair::new();
    let before = pair.client.call(1);
    pair.settle();
    pair.server.proto.drain("the server is shutting down");
    assert!(pair.server.proto.is_draining());
    pair.client.call(1);
    pair.client.call_with(nested(), 1).unwrap();
    pair.settle();
    assert_eq!(
        pair.server.news(),
        ["call 0.1 came with 1 bytes", "call 4.1 came with 1 bytes"]
    );
    pair.server.succeed(before, 2);
    pair.settle();
    assert_eq!(
        pair.client.news(),
        [
            "goaway: the server is shutting down",
            "call 1.1 faulted: code 4, outcome 1",
            "call 1.1 is free",
            "call 0.1 succeeded with 2 bytes",
            "call 0.1 is free",
        ]
    );
}

#[test]
fn draining_is_told_once_and_does_not_keep_this_end_from_calling() {
    let mut pair = Pair::new();
    pair.server.proto.drain("bye");
    pair.server.proto.drain("bye");
    pair.server.call(1);
    assert_eq!(pair.server.sends(), ["goaway", "request 0.1"]);
}

#[test]
fn farewell_leaves_after_all_else_and_is_acknowledged() {
    let mut pair = Pair::new();
    let call = pair.client.call(1);
    pair.settle();
    pair.server.succeed(call, 9000);
    pair.server.proto.say_farewell();
    pair.server.proto.say_farewell();
    let mut order = Vec::new();
    while pair.server.proto.has_output() {
        let packet = pair.server.take().unwrap();
        order.extend(frame::told(&packet));
        pair.client.take_in(&packet);
    }
    assert_eq!(
        order,
        [
            "response 0.1 more",
            "fragment 0.1 more",
            "fragment 0.1",
            "farewell"
        ]
    );
    assert_eq!(pair.client.news().last().unwrap(), "farewell");
    pair.settle();
    assert_eq!(pair.server.news()[1..], ["farewell acknowledged"]);
}

#[test]
fn both_ends_may_say_farewell_at_once() {
    let mut pair = Pair::new();
    pair.client.proto.say_farewell();
    pair.server.proto.say_farewell();
    pair.settle();
    for end in [&mut pair.client, &mut pair.server] {
        let mut news = end.news();
        news.sort();
        assert_eq!(news, ["farewell", "farewell acknowledged"]);
    }
}

#[test]
fn a_call_that_crosses_a_farewell_is_refused_at_whatever_depth() {
    let mut pair = Pair::new();
    pair.client.proto.say_farewell();
    assert!(pair.client.proto.is_parting());
    pair.server.call(1);
    pair.server.call_with(nested(), 9000).unwrap();
    pair.settle();
    assert_eq!(pair.client.news(), ["farewell acknowledged"]);
    let mut news = pair.server.news();
    news.retain(|news| news.contains("faulted"));
    assert_eq!(
        news,
        [
            "call 0.1 faulted: code 4, outcome 1",
            "call 4.1 faulted: code 4, outcome 1"
        ]
    );
}

#[test]
fn a_second_farewell_ends_the_connection() {
    let mut pair = Pair::new();
    pair.server.hear_frame(&frame::farewell()).unwrap();
    let error = pair.server.hear_frame(&frame::farewell()).unwrap_err();
    assert_eq!(error.to_string(), "a farewell was said twice");
}

#[test]
fn a_farewell_that_was_not_said_cannot_be_acknowledged() {
    let mut pair = Pair::new();
    assert!(pair.client.hear_frame(&frame::farewell_ack()).is_err());
    pair.client.proto.say_farewell();
    assert!(
        pair.client.hear_frame(&frame::farewell_ack()).is_err(),
        "nor before it has left"
    );
}

#[test]
fn a_ping_is_answered_with_its_payload() {
    let mut pair = Pair::new();
    pair.client.proto.ping(42);
    pair.settle();
    assert_eq!(pair.client.news(), ["pong 42"]);
}

#[test]
fn one_pong_is_pending_however_many_pings_came() {
    let mut pair = Pair::new();
    for payload in 0..100_000 {
        pair.server.hear_frame(&frame::ping(payload)).unwrap();
    }
    assert_eq!(pair.server.sends(), ["pong 99999"]);
    assert_eq!(pair.server.take(), None);
}

#[test]
fn the_report_of_an_error_names_it() {
    let mut pair = Pair::new();
    let error = pair.server.hear_frame(&frame::cancel((3, 9))).unwrap_err();
    pair.server.proto.report(&error);
    pair.settle();
    assert_eq!(
        pair.client.news(),
        ["goaway, protocol error: call 3.9 was used out of turn"]
    );
}
