//! What begins streams, and what ends them.

use pipe_rpc_core::proto::{Answer, ItemsEnd, ProtocolError, Room};
use pipe_rpc_core::testing::frame::{Frame, MORE, end, end_failed, large_item, request, stream};

use super::support::pair::{MAX_PACKET, body};
use super::support::streaming::{downloading, fault, faulted, ours, theirs, uploading};
use super::{FIRST, alone};

fn received(frames: &[Frame]) -> Result<Vec<String>, ProtocolError> {
    let mut end = alone();
    end.call(1);
    for frame in frames {
        end.hear_frame(frame)?;
    }
    Ok(end.news())
}

#[test]
fn a_request_with_items_is_not_oneway() {
    let frame = request(FIRST, b"").upload().oneway();
    let error = ProtocolError::MalformedHead { kind: 1 };
    assert_eq!(alone().hear_frame(&frame), Err(error));
}

#[test]
fn a_response_of_items_has_status_0_and_no_fragments() {
    let streaming = ["call 0.1 is answered by a stream"];
    assert_eq!(received(&[stream(FIRST)]).unwrap(), streaming);
    for status in 1..=3 {
        let frame = stream(FIRST).with_head([status, 0, 0, 0]);
        assert_eq!(received(&[frame]), Err(ProtocolError::MalformedHead { kind: 2 }));
    }
    let frame = stream(FIRST).with_flags(MORE).with_head([0; 12]);
    assert_eq!(received(&[frame]), Err(ProtocolError::MalformedHead { kind: 2 }));
}

#[test]
fn the_end_of_a_response_is_the_calls_terminal_frame() {
    let (mut pair, call) = downloading();
    pair.server.send_item(theirs(call), 3);
    pair.settle();
    assert_eq!(pair.client.proto.outgoing_open(), 1);
    assert_eq!(pair.server.proto.incoming_open(), 1);
    assert!(pair.server.proto.is_running(call));
    assert!(pair.server.proto.answer(call, Answer::StreamEnded));
    assert!(!pair.server.proto.answer(call, Answer::StreamEnded), "one end");
    pair.settle();
    assert_eq!(
        pair.client.news(),
        [
            "call 0.1 has an item of 3 bytes",
            "call 0.1 has its whole stream",
            "call 0.1 is free"
        ]
    );
    assert_eq!(pair.server.proto.incoming_open(), 0);
    assert_eq!(pair.client.call(1).to_string(), "call 0.2");
}

#[test]
fn the_end_of_a_response_says_how_it_ended() {
    let ends = [
        (Answer::StreamEnded, "call 0.1 has its whole stream"),
        (Answer::Failed(body(7)), "call 0.1 failed with 7 bytes"),
        (Answer::Faulted(fault()), "call 0.1 faulted: code 11, outcome 3"),
    ];
    for (answer, ending) in ends {
        let (mut pair, call) = downloading();
        pair.server.proto.answer(call, answer);
        pair.settle();
        assert_eq!(pair.client.news(), [ending, "call 0.1 is free"]);
    }
}

#[test]
fn the_end_of_a_requests_items_says_how_they_ended_and_the_call_goes_on() {
    let ends = [
        (ItemsEnd::Complete, "the items of call 0.1 are complete"),
        (
            ItemsEnd::Failed(body(7)),
            "the items of call 0.1 failed with 7 bytes",
        ),
        (faulted(), "the items of call 0.1 broke off: code 11"),
    ];
    for (end, news) in ends {
        let (mut pair, call) = uploading();
        assert!(pair.client.proto.end_upload(call, end));
        assert!(!pair.client.proto.end_upload(call, ItemsEnd::Complete), "one end");
        assert_eq!(pair.client.proto.room(ours(call)), Room::Over);
        pair.settle();
        assert_eq!(pair.server.news(), [news]);
        assert!(pair.server.succeed(call, 5));
        pair.settle();
        assert_eq!(
            pair.client.news(),
            ["call 0.1 succeeded with 5 bytes", "call 0.1 is free"]
        );
    }
}

#[test]
fn an_end_has_one_of_three_states() {
    let frames = [stream(FIRST), end(FIRST).with_head([3, 0, 0, 0])];
    assert_eq!(received(&frames), Err(ProtocolError::MalformedHead { kind: 6 }));
}

#[test]
fn only_an_end_that_is_not_complete_comes_in_the_middle_of_an_item() {
    let begun = [stream(FIRST), large_item(FIRST, 100, b"begun")];
    let complete = [&begun[..], &[end(FIRST)]].concat();
    assert!(matches!(
        received(&complete),
        Err(ProtocolError::WrongFragments { .. })
    ));
    let failed = [&begun[..], &[end_failed(FIRST, b"no more")]].concat();
    assert_eq!(
        received(&failed).unwrap()[1..],
        ["call 0.1 failed with 7 bytes", "call 0.1 is free"]
    );
}

#[test]
fn an_error_that_does_not_fit_a_packet_is_a_fault() {
    for (size, ending) in [
        (MAX_PACKET - 20, "call 0.1 failed with 4076 bytes"),
        (MAX_PACKET - 19, "call 0.1 faulted: code 8, outcome 3"),
    ] {
        let (mut pair, call) = downloading();
        pair.server.proto.answer(call, Answer::Failed(body(size)));
        pair.settle();
        assert_eq!(pair.client.news()[0], ending);
    }
}
