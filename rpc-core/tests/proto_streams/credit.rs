//! The credit of a stream: what it begins with, what an item costs, and how it comes back.

use pipe_rpc_core::proto::{Limits, ProtocolError, RequestHead, Room};
use pipe_rpc_core::testing::frame::{self, Frame, item, stream_credit};

use super::FIRST;
use super::support::pair::{LIMITS, Pair, head};
use super::support::streaming::{downloading, ours, streaming, theirs, upload, uploading};

/// What an item costs beside its bytes.
const OVERHEAD: usize = 64;

#[test]
fn a_stream_begins_with_the_credit_of_the_hello_or_with_the_requests_buffer_if_that_is_less() {
    for (buffer, credit) in [(0, 2000), (1, 1024), (2, 2000), (63, 2000)] {
        let mut pair = Pair::new();
        let head = RequestHead { buffer, ..upload() };
        let call = pair.client.call_with(head, 1).unwrap();
        assert_eq!(pair.client.proto.room(ours(call)), Room::Open(credit));
        pair.settle();
        pair.server.proto.open_stream(call);
        assert_eq!(pair.server.proto.room(theirs(call)), Room::Open(credit));
    }
}

#[test]
fn an_item_is_charged_its_size_and_64_and_the_last_may_go_beyond() {
    let (mut pair, call) = downloading();
    pair.server.send_item(theirs(call), 100);
    assert_eq!(pair.server.proto.room(theirs(call)), Room::Open(2000 - 164));
    pair.server.send_item(theirs(call), 2000 - 164 - OVERHEAD - 1);
    assert_eq!(pair.server.proto.room(theirs(call)), Room::Open(1));
    pair.server.send_item(theirs(call), 3000);
    assert_eq!(pair.server.proto.room(theirs(call)), Room::Full);
    pair.settle();
    assert_eq!(pair.client.news().len(), 3);
    let beyond = pair.client.hear_frame(&item(FIRST, b""));
    assert!(matches!(beyond, Err(ProtocolError::ItemCreditOverrun { .. })));
}

#[test]
fn empty_items_are_bounded_as_well() {
    let (mut pair, call) = uploading();
    assert_eq!(pair.client.fill(ours(call), 0), 2000_usize.div_ceil(OVERHEAD));
    pair.settle();
}

#[test]
fn credit_comes_back_by_halves_as_a_total() {
    let (mut pair, call) = downloading();
    let size = 500 - OVERHEAD;
    assert_eq!(pair.server.fill(theirs(call), size), 4);
    pair.settle();
    pair.client.news();
    pair.client.proto.take_items(ours(call), 500);
    assert_eq!(pair.client.sends(), [""; 0], "less than half was taken");
    pair.client.proto.take_items(ours(call), 500);
    let credit = pair.client.take().unwrap();
    assert_eq!(frame::told(&credit), ["credit 0.1 3000"]);
    assert_eq!(Frame::all_of(&credit)[0].flags, frame::OPENER | frame::STREAM);
    pair.server.take_in(&credit);
    assert_eq!(pair.server.news(), ["call 0.1 has room"]);
    assert_eq!(pair.server.proto.room(theirs(call)), Room::Open(1000));
}

#[test]
fn the_credit_of_a_request_names_the_callers_call() {
    let (mut pair, call) = uploading();
    pair.client.fill(ours(call), 1000);
    pair.settle();
    pair.server.proto.take_items(theirs(call), 2 * 1064);
    let credit = pair.server.take().unwrap();
    assert_eq!(frame::told(&credit), ["credit 0.1 4128"]);
    assert_eq!(Frame::all_of(&credit)[0].flags, frame::STREAM);
    pair.client.take_in(&credit);
    assert_eq!(pair.client.proto.room(ours(call)), Room::Open(2000));
}

#[test]
fn a_lower_total_of_credit_changes_nothing() {
    let (mut pair, call) = uploading();
    for granted in [3000, 2500, 0] {
        pair.client.hear_frame(&stream_credit(FIRST, granted)).unwrap();
        assert_eq!(pair.client.proto.room(ours(call)), Room::Open(3000));
    }
}

#[test]
fn the_streams_of_a_call_and_of_other_calls_have_credit_of_their_own() {
    let both = RequestHead {
        upload: true,
        ..head()
    };
    let (mut pair, call) = streaming(both);
    let other = pair.client.call_with(upload(), 1).unwrap();
    pair.client.fill(ours(call), 100);
    assert_eq!(pair.server.proto.room(theirs(call)), Room::Open(2000));
    assert_eq!(pair.client.proto.room(ours(other)), Room::Open(2000));
}

#[test]
fn credit_that_has_not_left_is_not_followed_by_more_of_its_stream() {
    let (mut pair, call) = uploading();
    for round in 1..=3 {
        pair.client.fill(ours(call), 100);
        while pair.forth() {}
        let items = pair.server.news().len() as u64;
        pair.server.proto.take_items(theirs(call), items * 164);
        // The client goes on without having read its credit.
        pair.client
            .hear_frame(&stream_credit(FIRST, 2000 + round * 2132))
            .unwrap();
    }
    assert_eq!(pair.server.frames().len(), 1, "one total for all that was taken");
}

#[test]
fn items_that_have_not_left_are_bounded_whatever_was_granted() {
    let limits = Limits {
        stream: u64::MAX - 1,
        ..LIMITS
    };
    let mut pair = Pair::with(limits);
    let call = pair.client.call_with(upload(), 1).unwrap();
    let most = 256 * 1024;
    let queued = pair.client.fill(ours(call), 1000) * 1064;
    assert!((most..most + 2 * 1064).contains(&queued), "{queued} bytes");
    let mut sent = queued;
    for _ in 0..20 {
        while pair.client.proto.room(ours(call)) == Room::Full {
            assert_eq!(pair.client.news(), [""; 0]);
            assert!(pair.client.take().is_some(), "room comes when packets leave");
        }
        assert_eq!(pair.client.news(), ["call 0.1 has room"]);
        sent += pair.client.fill(ours(call), 1000) * 1064;
    }
    assert!(sent > 10 * most);
}
