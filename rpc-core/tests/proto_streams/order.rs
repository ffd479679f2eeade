//! The order of items, in fragments or not, and of the body that comes before them.

use pipe_rpc_core::proto::{Answer, Event, ItemsEnd, Limits, ProtocolError, RequestHead, Room, cost};
use pipe_rpc_core::testing::frame::{self, end, item, large_item, request, request_part, stream};

use super::support::pair::{End, LIMITS, MAX_PACKET, Pair, bytes, head};
use super::support::streaming::{downloading, ours, streaming, theirs, upload};
use super::{FIRST, alone};

/// The largest item that fits one packet.
const FITS: usize = MAX_PACKET - 16;

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
