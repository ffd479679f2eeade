//! Streams of calls that end before their items do: stopped, cancelled, answered, late. PROTOCOL.md section 7.1.

mod support;

use std::time::Duration;

use pipe_rpc_core::proto::{Abandoned, Answer, ItemsEnd, ProtocolError, RequestHead, Room};
use pipe_rpc_core::testing::frame::{
    self, done, end, item, large_item, refused, request, request_part, response, stream,
};
use support::pair::{End, LIMITS, Pair, head};
use support::streaming::{downloading, ours, theirs, upload, uploading};

const FIRST: (u32, u32) = (0, 1);
const NO_NEWS: [&str; 0] = [];

#[test]
fn a_callee_that_wants_no_more_items_grants_the_largest_number_and_gets_an_end() {
    let (mut pair, call) = uploading();
    pair.server.proto.stop_items(call);
    pair.server.proto.stop_items(call);
    let stop = pair.server.take().unwrap();
    assert_eq!(frame::told(&stop), [format!("credit 0.1 {}", u64::MAX)]);
    pair.client.send_item(ours(call), 100);
    pair.client.take_in(&stop);
    assert_eq!(pair.client.news(), ["call 0.1 wants no more items"]);
    assert_eq!(pair.client.proto.room(ours(call)), Room::Stopped);
    pair.client.proto.end_upload(call, ItemsEnd::Complete);
    pair.settle();
    assert_eq!(pair.server.news(), NO_NEWS, "nobody waits for what still came");
    pair.server.succeed(call, 1);
    pair.settle();
    assert_eq!(
        pair.client.news(),
        ["call 0.1 succeeded with 1 bytes", "call 0.1 is free"]
    );
}

#[test]
fn items_that_are_not_wanted_take_credit_that_never_comes_back() {
    let (mut pair, call) = uploading();
    pair.server.proto.stop_items(call);
    pair.client.fill(ours(call), 200);
    while pair.forth() {}
    pair.server.proto.take_items(theirs(call), 2000);
    assert_eq!(pair.server.sends().len(), 1, "the stop alone");
    let beyond = pair.server.hear_frame(&item(FIRST, b"").by_caller());
    assert!(matches!(beyond, Err(ProtocolError::ItemCreditOverrun { .. })));
}

#[test]
fn a_stop_in_the_middle_of_a_large_item_waits_for_the_rest_of_it() {
    let (mut pair, call) = uploading();
    pair.client.send_item(ours(call), 10_000);
    pair.forth();
    pair.server.proto.stop_items(call);
    pair.back();
    pair.client.proto.end_upload(call, ItemsEnd::Complete);
    let sent: Vec<_> = pair.client.frames().iter().map(ToString::to_string).collect();
    assert_eq!(sent, ["fragment 0.1 more", "fragment 0.1", "end 0.1"]);
}

#[test]
fn a_caller_that_wants_no_more_items_cancels() {
    let (mut pair, call) = downloading();
    pair.server.send_item(theirs(call), 100);
    pair.settle();
    assert_eq!(pair.client.abandon(call), Abandoned::Told);
    pair.server.send_item(theirs(call), 100);
    pair.forth();
    assert_eq!(pair.server.news(), ["call 0.1 is to stop"]);
    assert_eq!(pair.server.proto.room(theirs(call)), Room::Over);
    pair.server.proto.answer_interrupted(call);
    pair.client.news();
    pair.settle();
    assert_eq!(pair.client.news(), ["call 0.1 is free"], "no item, no end");
}

#[test]
fn a_cancel_in_the_middle_of_a_large_item_of_a_response_takes_the_rest_back() {
    let (mut pair, call) = downloading();
    pair.server.send_item(theirs(call), 20_000);
    pair.back();
    pair.client.abandon(call);
    pair.forth();
    pair.server.proto.answer_interrupted(call);
    assert_eq!(pair.server.sends(), ["done 0.1"]);
    assert_eq!(pair.server.take(), None);
    pair.client.hear_frame(&done(FIRST)).unwrap();
    assert_eq!(pair.client.news(), ["call 0.1 is free"]);
    pair.client.call(1);
    pair.settle();
    assert_eq!(pair.server.news().last().unwrap(), "call 0.2 came with 1 bytes");
}

#[test]
fn a_cancel_behind_the_end_of_a_response_takes_the_last_item_back() {
    let (mut pair, call) = downloading();
    pair.server.send_item(theirs(call), 20_000);
    pair.server.proto.answer(call, Answer::StreamEnded);
    pair.back();
    pair.client.abandon(call);
    pair.forth();
    assert_eq!(pair.server.news(), NO_NEWS, "no handler is left to be stopped");
    assert_eq!(pair.server.sends(), ["done 0.1"]);
    assert_eq!(pair.server.take(), None);
}

#[test]
fn a_cancel_in_the_middle_of_a_large_item_of_a_request_takes_the_rest_back() {
    let (mut pair, call) = uploading();
    pair.client.send_item(ours(call), 20_000);
    pair.forth();
    assert_eq!(pair.client.abandon(call), Abandoned::Told);
    assert_eq!(pair.client.proto.room(ours(call)), Room::Over);
    assert!(!pair.client.proto.end_upload(call, ItemsEnd::Complete));
    let cancel = pair.client.take().unwrap();
    assert_eq!(frame::told(&cancel), ["cancel 0.1"]);
    assert_eq!(pair.client.take(), None);
    pair.server.take_in(&cancel);
    pair.server.proto.answer_interrupted(call);
    pair.settle();
    assert_eq!(pair.client.news(), ["call 0.1 is free"]);
    let again = pair.client.call_with(upload(), 1).unwrap();
    pair.client.send_item(ours(again), 20_000);
    pair.settle();
    assert_eq!(
        pair.server.news(),
        [
            "call 0.1 is to stop",
            "call 0.2 came with 1 bytes",
            "call 0.2 has an item of 20000 bytes"
        ]
    );
}

#[test]
fn an_answer_in_the_middle_of_a_large_item_stops_its_caller() {
    for answer in [response(FIRST, b"x"), refused(FIRST)] {
        let mut pair = Pair::new();
        let call = pair.client.call_with(upload(), 1).unwrap();
        pair.client.send_item(ours(call), 20_000);
        pair.forth();
        pair.forth();
        pair.client.hear_frame(&answer).unwrap();
        assert_eq!(pair.client.take(), None, "{answer}");
        assert_eq!(pair.client.proto.room(ours(call)), Room::Over);
        assert_eq!(pair.client.news().last().unwrap(), "call 0.1 is free");
    }
}

#[test]
fn items_that_come_late_are_ignored_within_the_credit_until_the_slots_next_call() {
    let (mut pair, call) = uploading();
    pair.client.fill(ours(call), 300);
    pair.client.proto.end_upload(call, ItemsEnd::Complete);
    pair.server.succeed(call, 1);
    let answer = pair.server.take().unwrap();
    while pair.forth() {}
    assert_eq!(pair.server.news(), NO_NEWS);
    pair.client.take_in(&answer);
    pair.client.call_with(upload(), 1);
    pair.settle();
    assert_eq!(pair.server.news(), ["call 0.2 came with 1 bytes"]);
}

#[test]
fn a_late_item_in_fragments_may_stay_incomplete() {
    let (mut pair, call) = uploading();
    pair.client.send_item(ours(call), 20_000);
    pair.forth();
    pair.server.succeed(call, 1);
    let answer = pair.server.take().unwrap();
    pair.forth();
    pair.client.take_in(&answer);
    pair.client.call(1);
    pair.settle();
    assert_eq!(pair.server.news(), ["call 0.2 came with 1 bytes"]);
}

#[test]
fn late_items_beyond_the_credit_or_out_of_step_end_the_connection() {
    let late = || {
        let (mut pair, call) = uploading();
        pair.server.succeed(call, 1);
        pair.server.take();
        pair.server
    };
    let beyond = [
        vec![item(FIRST, &[0; 2000]).by_caller(), item(FIRST, b"").by_caller()],
        vec![end(FIRST).by_caller(), item(FIRST, b"").by_caller()],
        vec![end(FIRST).by_caller(), end(FIRST).by_caller()],
        vec![request_part(FIRST, false, b"x")],
        vec![
            large_item(FIRST, 10, b"x").by_caller(),
            request_part(FIRST, false, b"x"),
        ],
        vec![large_item(FIRST, u64::MAX, b"x").by_caller()],
        vec![item((0, 2), b"").by_caller()],
        vec![item((0, 0), b"").by_caller()],
    ];
    for frames in beyond {
        let mut end = late();
        let (last, before) = frames.split_last().unwrap();
        for frame in before {
            assert_eq!(end.hear_frame(frame), Ok(()), "{frame}");
        }
        assert!(end.hear_frame(last).is_err(), "{last}");
    }
}

#[test]
fn no_credit_goes_back_for_a_call_that_has_ended() {
    let (mut pair, call) = uploading();
    pair.client.fill(ours(call), 300);
    pair.settle();
    pair.server.succeed(call, 1);
    pair.server.take();
    pair.server.proto.take_items(theirs(call), 2000);
    pair.server.proto.stop_items(call);
    assert_eq!(pair.server.take(), None);

    let (mut pair, call) = downloading();
    pair.server.fill(theirs(call), 300);
    pair.settle();
    pair.client.abandon(call);
    pair.client.take();
    pair.client.proto.take_items(ours(call), 2000);
    assert_eq!(pair.client.take(), None);
}

#[test]
fn nothing_is_left_to_be_sent_for_a_stream_that_its_sender_ends() {
    let (mut pair, call) = uploading();
    pair.client.fill(ours(call), 300);
    pair.settle();
    pair.server.proto.take_items(theirs(call), 2000);
    assert!(pair.server.proto.has_output());
    pair.client.abandon(call);
    pair.forth();
    assert!(!pair.server.proto.has_output());

    let (mut pair, call) = downloading();
    pair.server.fill(theirs(call), 300);
    pair.settle();
    pair.client.proto.take_items(ours(call), 2000);
    assert!(pair.client.proto.has_output());
    pair.server.proto.answer(call, Answer::StreamEnded);
    pair.back();
    assert!(!pair.client.proto.has_output());
}

#[test]
fn credit_that_comes_late_changes_nothing() {
    let (mut pair, call) = downloading();
    pair.server.fill(theirs(call), 300);
    pair.settle();
    pair.client.proto.take_items(ours(call), 2000);
    let credit = pair.client.take().unwrap();
    pair.server.proto.answer(call, Answer::StreamEnded);
    pair.server.take_in(&credit);
    pair.settle();
    assert_eq!(pair.server.news(), NO_NEWS);
}

#[test]
fn a_stream_that_opens_for_an_abandoned_call_is_counted_and_not_told() {
    let mut pair = Pair::new();
    let call = pair.client.call(1);
    pair.settle();
    pair.client.abandon(call);
    pair.server.incoming();
    pair.server.proto.open_stream(call);
    pair.server.fill(theirs(call), 100);
    while pair.back() {}
    assert_eq!(pair.client.news(), NO_NEWS);
    let beyond = pair.client.hear_frame(&item(FIRST, b""));
    assert!(matches!(beyond, Err(ProtocolError::ItemCreditOverrun { .. })));
}

#[test]
fn an_abandoned_stream_ends_by_its_end_too() {
    let mut pair = Pair::new();
    let call = pair.client.call(1);
    pair.settle();
    pair.server.incoming();
    pair.client.abandon(call);
    pair.server.proto.open_stream(call);
    pair.server.send_item(theirs(call), 10_000);
    pair.server.proto.answer(call, Answer::StreamEnded);
    while pair.back() {}
    assert_eq!(pair.client.news(), ["call 0.1 is free"]);
    pair.client.call(1);
    pair.settle();
    assert_eq!(
        pair.server.news(),
        ["call 0.2 came with 1 bytes"],
        "the cancel was late"
    );
}

#[test]
fn a_deadline_ends_a_stream_at_both_ends() {
    let mut pair = Pair::new();
    let call = pair.client.call_within(Duration::from_millis(10), 1);
    pair.settle();
    pair.server.incoming();
    pair.server.proto.open_stream(call);
    pair.server.send_item(theirs(call), 20_000);
    pair.back();
    pair.back();
    pair.client.news();
    pair.pass(Duration::from_millis(20));
    assert_eq!(pair.client.news(), ["call 0.1 is late"]);
    assert_eq!(pair.server.news(), ["call 0.1 is to stop"]);
    assert_eq!(pair.server.proto.room(theirs(call)), Room::Over);
    pair.server.proto.answer_interrupted(call);
    pair.settle();
    assert_eq!(pair.client.news(), ["call 0.1 is free"]);
    assert_eq!(
        (
            pair.client.proto.outgoing_open(),
            pair.server.proto.incoming_open()
        ),
        (0, 0)
    );
}

#[test]
fn a_request_that_is_taken_back_takes_its_items_along() {
    let mut pair = Pair::new();
    let call = pair.client.call_with(upload(), 20_000).unwrap();
    pair.client.proto.end_upload(call, ItemsEnd::Complete);
    assert_eq!(pair.client.abandon(call), Abandoned::Withdrawn);
    assert_eq!(pair.client.take(), None);
    let again = pair.client.call_with(upload(), 1).unwrap();
    assert_eq!(again, call, "no trace of it is left");
    assert_eq!(pair.client.proto.room(ours(again)), Room::Open(2000));
}

#[test]
fn a_stream_has_no_other_answer_than_its_end() {
    let answers = [
        response(FIRST, b"x"),
        frame::large_response(FIRST, 10, b"x"),
        refused(FIRST),
        stream(FIRST),
        done(FIRST),
    ];
    for answer in answers {
        let mut end = End::new(LIMITS, std::time::Instant::now());
        end.call(1);
        end.hear_frame(&stream(FIRST)).unwrap();
        assert!(end.hear_frame(&answer).is_err(), "{answer}");
    }
}

#[test]
fn what_belongs_to_no_stream_ends_the_connection() {
    let frames = [
        item(FIRST, b"x"),
        large_item(FIRST, 10, b"x"),
        end(FIRST),
        frame::end_failed(FIRST, b"x"),
    ];
    for wrong in frames {
        let mut caller = End::new(LIMITS, std::time::Instant::now());
        caller.call(1);
        assert!(
            matches!(caller.hear_frame(&wrong), Err(ProtocolError::NoStream { .. })),
            "{wrong}"
        );
        let mut callee = End::new(LIMITS, std::time::Instant::now());
        callee.hear_frame(&request(FIRST, b"")).unwrap();
        assert!(
            matches!(
                callee.hear_frame(&wrong.clone().by_caller()),
                Err(ProtocolError::NoStream { .. })
            ),
            "{wrong}"
        );
    }
}

#[test]
fn a_oneway_call_is_not_answered_by_a_stream() {
    let mut end = End::new(LIMITS, std::time::Instant::now());
    end.call_with(support::pair::oneway(), 1);
    assert!(end.hear_frame(&stream(FIRST)).is_err());
    let mut pair = Pair::new();
    let call = pair.client.call_with(support::pair::oneway(), 1).unwrap();
    pair.settle();
    assert!(!pair.server.proto.open_stream(call));
}

#[test]
fn a_call_that_is_to_end_opens_no_stream() {
    let mut pair = Pair::new();
    let head = RequestHead {
        upload: true,
        ..head()
    };
    let call = pair.client.call_with(head, 1).unwrap();
    pair.settle();
    pair.client.abandon(call);
    pair.settle();
    assert!(!pair.server.proto.open_stream(call));
    pair.server.proto.answer_interrupted(call);
    assert!(!pair.server.proto.open_stream(call));
    assert_eq!(pair.server.sends(), ["done 0.1"]);
}
