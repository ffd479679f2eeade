//! Streams of items as PROTOCOL.md section 7.1 has them: what begins them, their order, their ends, and their credit.

mod support;

use pipe_rpc_core::proto::{Answer, Event, ItemsEnd, Limits, ProtocolError, RequestHead, Room, cost};
use pipe_rpc_core::testing::frame::{
    self, Frame, MORE, end, end_failed, item, large_item, request, request_part, stream, stream_credit,
};
use support::pair::{End, LIMITS, MAX_PACKET, Pair, body, bytes, head};
use support::streaming::{downloading, fault, faulted, ours, streaming, theirs, upload, uploading};

const FIRST: (u32, u32) = (0, 1);

/// What an item costs beside its bytes.
const OVERHEAD: usize = 64;

/// The largest item that fits one packet.
const FITS: usize = MAX_PACKET - 16;

fn alone() -> End {
    End::new(LIMITS, std::time::Instant::now())
}

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
fn items_come_in_order_and_whole_around_the_packet_limit() {
    let sizes = [
        0,
        1,
        100,
        FITS - 1,
        FITS,
        FITS + 1,
        MAX_PACKET,
        2 * MAX_PACKET,
        50_000,
    ];
    let both = RequestHead {
        upload: true,
        ..head()
    };
    let (mut pair, call) = streaming(both);
    for (index, size) in sizes.into_iter().cycle().take(40).enumerate() {
        pair.client.send_item(ours(call), size);
        pair.server.send_item(theirs(call), size);
        pair.settle();
        for end in [&mut pair.client, &mut pair.server] {
            let (id, item) = std::iter::from_fn(|| end.event())
                .find_map(|event| match event {
                    Event::Item(id, item) => Some((id, item)),
                    _ => None,
                })
                .expect("an item comes");
            assert_eq!(item.as_ref(), bytes(size), "item {index}");
            end.proto.take_items(id, cost(size));
            end.news();
        }
        pair.settle();
        pair.client.news();
        pair.server.news();
    }
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

#[test]
fn nothing_overtakes_a_large_item_of_its_own_call_and_others_do() {
    let (mut pair, call) = downloading();
    let other = pair.client.call(1);
    pair.settle();
    pair.server.incoming();
    pair.server.send_item(theirs(call), FITS + 5000);
    assert_eq!(pair.server.proto.room(theirs(call)), Room::Full);
    pair.server.proto.answer(call, Answer::StreamEnded);
    pair.server.succeed(other, 1);
    assert_eq!(pair.server.sends(), ["response 1.1"]);
    assert_eq!(pair.server.sends(), ["item 0.1 more"]);
    assert_eq!(pair.server.sends(), ["fragment 0.1 more"]);
    assert_eq!(pair.server.sends(), ["fragment 0.1"]);
    assert_eq!(pair.server.sends(), ["end 0.1"]);
}

#[test]
fn room_is_told_when_a_large_item_has_left_and_credit_is_left() {
    let (mut pair, call) = {
        let mut pair = Pair::with(Limits {
            stream: 100_000,
            ..LIMITS
        });
        let call = pair.client.call(1);
        pair.settle();
        pair.server.incoming();
        pair.server.proto.open_stream(call);
        pair.settle();
        (pair, call)
    };
    pair.server.send_item(theirs(call), 10_000);
    while pair.server.proto.room(theirs(call)) == Room::Full {
        assert_eq!(pair.server.news(), [""; 0]);
        assert!(pair.back());
    }
    assert_eq!(pair.server.news(), ["call 0.1 has room"]);
}

#[test]
fn items_wait_for_the_body_of_their_request() {
    let mut pair = Pair::new();
    let call = pair.client.call_with(upload(), 9000).unwrap();
    assert_eq!(pair.client.proto.room(ours(call)), Room::Full);
    while pair.client.proto.room(ours(call)) == Room::Full {
        assert!(pair.forth());
    }
    assert_eq!(pair.client.news(), ["call 0.1 has room"]);
    assert_eq!(pair.server.news(), ["call 0.1 came with 9000 bytes"]);
}

#[test]
fn items_wait_for_a_body_that_waits_for_the_window() {
    let mut pair = Pair::new();
    pair.client.call(20_000);
    let call = pair.client.call_with(upload(), 5000).unwrap();
    pair.settle();
    assert_eq!(pair.client.proto.room(ours(call)), Room::Full);
    assert!(
        pair.client.proto.end_upload(call, ItemsEnd::Complete),
        "the end waits as well"
    );
    let first = pair.server.incoming().id;
    assert!(pair.server.proto.take_packet(std::time::Instant::now).is_none());
    pair.server.proto.begin(first);
    pair.settle();
    assert_eq!(
        pair.server.news(),
        [
            "call 1.1 came with 5000 bytes",
            "the items of call 1.1 are complete"
        ]
    );
}

#[test]
fn items_come_while_the_handler_is_not_yet_running() {
    let mut pair = Pair::new();
    let call = pair.client.call_with(upload(), 1).unwrap();
    pair.client.send_item(ours(call), 10);
    pair.settle();
    assert_eq!(
        pair.server.news(),
        ["call 0.1 came with 1 bytes", "call 0.1 has an item of 10 bytes"]
    );
}

#[test]
fn items_before_the_requests_body_is_whole_are_an_error() {
    for early in [item(FIRST, b"x"), end(FIRST)] {
        let mut end = alone();
        end.hear_frame(&frame::large_request(FIRST, 10, b"x").upload())
            .unwrap();
        assert!(matches!(
            end.hear_frame(&early.by_caller()),
            Err(ProtocolError::WrongFragments { .. })
        ));
    }
}

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
fn an_item_over_the_limit_of_a_body_is_an_error_and_the_limit_itself_is_none() {
    let limits = Limits {
        max_body: 5000,
        ..LIMITS
    };
    for (total, fits) in [(5000, true), (5001, false), (u64::MAX, false)] {
        let mut end = End::new(limits, std::time::Instant::now());
        end.call(1);
        end.hear_frame(&stream(FIRST)).unwrap();
        let heard = end.hear_frame(&large_item(FIRST, total, &[0; 100]));
        let error = ProtocolError::ItemTooLarge { total, limit: 5000 };
        assert_eq!(heard, if fits { Ok(()) } else { Err(error) });
        let mut end = End::new(limits, std::time::Instant::now());
        end.hear_frame(&request(FIRST, b"").upload()).unwrap();
        let heard = end.hear_frame(&large_item(FIRST, total, &[0; 100]).by_caller());
        assert_eq!(heard, if fits { Ok(()) } else { Err(error) });
    }
}

#[test]
fn items_that_do_not_add_up_are_errors() {
    let parts: [&[(bool, usize)]; 6] = [
        &[(true, 0)],
        &[(true, 90)],
        &[(true, 91)],
        &[(false, 89)],
        &[(true, 50), (false, 41)],
        &[(false, 90), (false, 1)],
    ];
    for parts in parts {
        let mut end = alone();
        end.hear_frame(&request(FIRST, b"").upload()).unwrap();
        end.hear_frame(&large_item(FIRST, 100, &[0; 10]).by_caller())
            .unwrap();
        let heard: Vec<_> = parts
            .iter()
            .map(|(more, size)| end.hear_frame(&request_part(FIRST, *more, &vec![0; *size])))
            .collect();
        assert!(
            matches!(heard.last().unwrap(), Err(ProtocolError::WrongFragments { .. })),
            "{parts:?}: {heard:?}"
        );
        assert!(heard[..heard.len() - 1].iter().all(Result::is_ok), "{parts:?}");
    }
}

#[test]
fn an_item_within_an_item_is_an_error() {
    let mut end = alone();
    end.hear_frame(&request(FIRST, b"").upload()).unwrap();
    end.hear_frame(&large_item(FIRST, 100, &[0; 10]).by_caller())
        .unwrap();
    assert!(matches!(
        end.hear_frame(&item(FIRST, b"x").by_caller()),
        Err(ProtocolError::WrongFragments { .. })
    ));
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
