//! Clients that break the protocol: each loses its connection with a reason, and nobody else loses anything.

mod support;

use std::time::Duration;

use pipe_rpc_core::testing::ScriptedPeer;
use pipe_rpc_core::testing::frame::{
    EXT, Frame, MORE, OPENER, cancel, credit, done, farewell, farewell_ack, goaway, large_request, packet,
    ping, pong, refused, request, request_part, response, response_part,
};
use pipe_rpc_core::transport::memory::MemoryConnector;
use support::peer::{assert_alive, assert_lives, call, serve};
use support::service::{ECHO, LARGE, NEVER, Probe};

/// Sends the packets to a server that is running one call of this client's, and expects to be shown out with that text.
async fn shown_out(packets: &[Vec<u8>], text: &str) {
    let (connector, probe) = serve(|server| server.max_calls(4).window(10_000).max_body(1 << 20));
    let mut peer = with_a_call_running(&connector, &probe).await;
    for packet in packets {
        peer.send(packet).await;
    }
    assert_eq!(peer.expect_protocol_error().await, text);
    probe.running(0).await;
    assert_alive(&connector).await;
}

/// A client whose first slot has a call that never ends.
async fn with_a_call_running(connector: &MemoryConnector, probe: &Probe) -> ScriptedPeer {
    let mut peer = ScriptedPeer::client(connector).await;
    peer.send(&call((0, 1), NEVER, b"")).await;
    probe.running(1).await;
    peer
}

async fn shown_out_by(frame: Frame, text: &str) {
    shown_out(&[frame.bytes()], text).await;
}

#[tokio::test]
async fn torn_packets() {
    let whole = call((1, 1), ECHO, b"hello").bytes();
    let mut four_gigabytes = whole.clone();
    four_gigabytes[0..4].copy_from_slice(&u32::MAX.to_le_bytes());
    let mut one_too_long = whole.clone();
    one_too_long[0] += 1;
    let mut one_too_short = whole.clone();
    one_too_short[0] -= 1;
    for torn in [
        whole[..whole.len() - 1].to_vec(),
        four_gigabytes,
        one_too_long,
        one_too_short,
    ] {
        let text = format!(
            "a packet of {} bytes does not end where its last frame ends",
            torn.len()
        );
        shown_out(&[torn], &text).await;
    }
    let garbage = vec![0x55; 1000];
    shown_out(
        &[garbage],
        "a packet of 1000 bytes does not end where its last frame ends",
    )
    .await;
}

#[tokio::test]
async fn frames_before_a_torn_one_still_count() {
    let (connector, _) = serve(|server| server);
    let mut peer = ScriptedPeer::client(&connector).await;
    let mut bytes = call((0, 1), ECHO, b"whole").bytes();
    bytes.extend_from_slice(b"torn");
    peer.send(&bytes).await;
    let mut told: Vec<_> = peer.rest().await.iter().map(Frame::to_string).collect();
    told.sort();
    assert_eq!(told, ["goaway", "response 0.1"]);
}

#[tokio::test]
async fn unknown_kinds() {
    for kind in [0, 15, 127] {
        shown_out_by(
            Frame::new(kind, OPENER, (0, 1)),
            &format!("frame kind {kind} is unknown or was not agreed on"),
        )
        .await;
    }
}

#[tokio::test]
async fn kinds_that_may_be_skipped_are_skipped() {
    let (connector, _) = serve(|server| server);
    let mut peer = ScriptedPeer::client(&connector).await;
    for kind in [128, 255] {
        let strange = Frame::new(kind, 0xff, (u32::MAX, u32::MAX))
            .with_head([1; 30])
            .with_body([2; 300]);
        peer.send(&strange).await;
    }
    assert_lives(&mut peer, (0, 1)).await;
}

#[tokio::test]
async fn heads_of_the_wrong_length() {
    let text = |kind: u8| format!("the head of a frame of kind {kind} has the wrong length or contents");
    let short = request((1, 1), b"").with_head([0; 27]);
    shown_out_by(short, &text(1)).await;
    let long = request((1, 1), b"").with_head([0; 29]);
    shown_out_by(long, &text(1)).await;
    let without_total = request((1, 1), b"x").with_flags(MORE);
    shown_out_by(without_total, &text(1)).await;
    shown_out_by(ping(1).with_head([0; 7]), &text(10)).await;
    shown_out_by(goaway(0, "").with_head([]), &text(12)).await;
    shown_out_by(done((0, 1)).with_body([0; 9]), &text(8)).await;
    let mut past_the_frame = cancel((0, 1)).bytes();
    past_the_frame[6] = 1;
    shown_out(&[past_the_frame], &text(7)).await;
}

#[tokio::test]
async fn extensions_are_skipped_unless_they_must_be_understood() {
    let (connector, _) = serve(|server| server);
    let mut peer = ScriptedPeer::client(&connector).await;
    let mut known = call((0, 1), ECHO, b"still here").with_flags(EXT);
    known
        .head
        .extend_from_slice(&[1, 0, 2, 0, 7, 7, 0xff, 0x7f, 0, 0]);
    peer.send(&known).await;
    peer.expect("response 0.1").await;
    let required = Frame::new(7, OPENER | EXT, (0, 1)).with_head([2, 0x80, 0, 0]);
    shown_out_by(required, "extension 0x8002 must be understood and is unknown").await;
    let torn = Frame::new(7, OPENER | EXT, (0, 1)).with_head([1, 0, 9, 0]);
    shown_out_by(
        torn,
        "the head of a frame of kind 7 has the wrong length or contents",
    )
    .await;
    let undeclared = Frame::new(7, OPENER, (0, 1)).with_head([1, 0, 0, 0]);
    shown_out_by(
        undeclared,
        "the head of a frame of kind 7 has the wrong length or contents",
    )
    .await;
}

#[tokio::test]
async fn unknown_services_and_methods_are_refused_and_the_connection_lives() {
    let (connector, _) = serve(|server| server);
    let mut peer = ScriptedPeer::client(&connector).await;
    peer.send(&request((0, 1), b"")).await;
    let frame = peer.frame().await.unwrap();
    assert_eq!((frame.kind, frame.body[0]), (3, 5));
    assert_eq!(&frame.body[20..], b"it serves Probe");
    peer.send(&call((0, 2), 99, b"")).await;
    let frame = peer.frame().await.unwrap();
    assert_eq!((frame.kind, frame.body[0]), (3, 6));
    assert_eq!(
        std::str::from_utf8(&frame.body[20..]).unwrap(),
        "Probe has echo, never, large, touch, flood, swallow, hoard, and none with id 0x00000063"
    );
    let mut other_signature = call((0, 3), ECHO, b"");
    other_signature.head[8] = 1;
    peer.send(&other_signature).await;
    let frame = peer.frame().await.unwrap();
    assert_eq!((frame.kind, frame.body[0]), (3, 7));
    let mut too_deep = call((1024, 1), ECHO, b"");
    too_deep.head[24] = 33;
    peer.send(&too_deep).await;
    let frame = peer.frame().await.unwrap();
    assert_eq!((frame.kind, frame.body[0]), (3, 12));
    assert_lives(&mut peer, (0, 4)).await;
}

#[tokio::test]
async fn slots_out_of_turn() {
    let text = |call| format!("call {call} was used out of turn");
    shown_out_by(call((0, 1), ECHO, b""), &text("0.1")).await;
    shown_out_by(call((0, 2), ECHO, b""), &text("0.2")).await;
    shown_out_by(call((1, 2), ECHO, b""), &text("1.2")).await;
    shown_out_by(call((1, 0), ECHO, b""), &text("1.0")).await;
    shown_out_by(call((1, u32::MAX), ECHO, b""), &text("1.4294967295")).await;
    shown_out_by(cancel((0, 2)), &text("0.2")).await;
    shown_out_by(cancel((3, 1)), &text("3.1")).await;
    shown_out_by(cancel((u32::MAX, 1)), &text("4294967295.1")).await;
}

#[tokio::test]
async fn a_depth_in_the_wrong_slots() {
    let mut nested = call((1, 1), ECHO, b"");
    nested.head[24] = 1;
    shown_out_by(nested, "call 1.1 was used out of turn").await;
    shown_out_by(call((4, 1), ECHO, b""), "call 4.1 was used out of turn").await;
}

#[tokio::test]
async fn more_calls_than_were_granted() {
    let text = |slot: u32| format!("slot {slot} is beyond the 1028 calls that were granted");
    shown_out_by(call((1028, 1), ECHO, b""), &text(1028)).await;
    shown_out_by(call((u32::MAX, 1), ECHO, b""), &text(u32::MAX)).await;
}

#[tokio::test]
async fn cancel_cannot_be_used_to_have_more_calls_open() {
    // The first call is cancelled, and its slot used again before its answer has come.
    let both = packet(&[cancel((0, 1)), call((0, 2), NEVER, b"")]);
    shown_out(&[both], "call 0.2 was used out of turn").await;
}

#[tokio::test]
async fn a_body_beyond_the_window() {
    let first = large_request((1, 1), 100_000, &[0; 10]);
    let second = large_request((2, 1), 50_000, &[0; 10]);
    shown_out(
        &[packet(&[first, second])],
        "a request body of 50000 bytes was begun without credit",
    )
    .await;
}

#[tokio::test]
async fn a_body_over_the_limit_is_refused_and_the_connection_lives() {
    let (connector, _) = serve(|server| server.max_body(1 << 20).window(10_000));
    let mut peer = ScriptedPeer::client(&connector).await;
    peer.send(&large_request((0, 1), (1 << 20) + 1, b"x")).await;
    peer.expect("refused 0.1").await;
    peer.expect(format!("credit {}", (1 << 20) + 1 + 10_000)).await;
    peer.send(&request_part((0, 1), true, b"late")).await;
    assert_lives(&mut peer, (0, 2)).await;
}

#[tokio::test]
async fn fragments_that_do_not_add_up() {
    let text = |call| format!("the fragments of call {call} do not add up to the size that was declared");
    let begin = || large_request((1, 1), 100, &[0; 40]);
    let wrong = [
        vec![begin(), request_part((1, 1), true, &[0; 61])],
        vec![begin(), request_part((1, 1), true, &[0; 60])],
        vec![begin(), request_part((1, 1), false, &[0; 59])],
        vec![begin(), request_part((1, 1), false, &[0; 61])],
        vec![begin(), request_part((1, 1), true, &[])],
        vec![begin(), request_part((1, 1), false, &[])],
        vec![large_request((1, 1), 100, &[])],
        vec![large_request((1, 1), 0, &[0; 1])],
        vec![large_request((1, 1), 100, &[0; 100])],
        vec![large_request((1, 1), 100, &[0; 101])],
        vec![request_part((1, 1), false, &[0; 4])],
        vec![begin(), request_part((1, 2), true, &[0; 4])],
    ];
    for frames in wrong {
        let call = format!("1.{}", frames.last().unwrap().generation);
        shown_out(&[packet(&frames)], &text(call)).await;
    }
    let unasked = request_part((0, 1), false, b"more");
    shown_out_by(unasked, &text("0.1".to_owned())).await;
    let ended = [
        large_request((1, 1), 4, b"ab"),
        request_part((1, 1), false, b"cd"),
        request_part((1, 1), false, b"ef"),
    ];
    shown_out(&[packet(&ended)], &text("1.1".to_owned())).await;
}

#[tokio::test]
async fn frames_from_the_wrong_side() {
    let text = |kind: u8| format!("a frame of kind {kind} came from the wrong end of its call");
    let mut not_the_openers = call((1, 1), ECHO, b"");
    not_the_openers.flags = 0;
    shown_out_by(not_the_openers, &text(1)).await;
    let mut callees_cancel = cancel((0, 1));
    callees_cancel.flags = 0;
    shown_out_by(callees_cancel, &text(7)).await;
    shown_out_by(response((0, 1), b"").with_flags(OPENER), &text(2)).await;
    shown_out_by(refused((0, 1)).with_flags(OPENER), &text(3)).await;
    shown_out_by(done((0, 1)).with_flags(OPENER), &text(8)).await;
}

#[tokio::test]
async fn answers_to_nothing() {
    let text = "call 0.1 was used out of turn";
    shown_out_by(response((0, 1), b"unasked"), text).await;
    shown_out_by(refused((0, 1)), text).await;
    shown_out_by(done((0, 1)), text).await;
    shown_out_by(response_part((0, 1), true, b"unasked"), text).await;
    shown_out_by(farewell_ack(), "a farewell was acknowledged that was not said").await;
}

#[tokio::test]
async fn a_second_farewell() {
    shown_out(&[packet(&[farewell(), farewell()])], "a farewell was said twice").await;
}

#[tokio::test]
async fn pings_and_credit_and_goodbyes_of_any_kind_do_no_harm() {
    let (connector, _) = serve(|server| server);
    let mut peer = ScriptedPeer::client(&connector).await;
    let odd = [
        credit(0),
        credit(u64::MAX),
        pong(1),
        goaway(0, "bye"),
        goaway(77, "a reason of the future"),
    ];
    peer.send(&packet(&odd)).await;
    assert_lives(&mut peer, (0, 1)).await;
    peer.send(&ping(u64::MAX)).await;
    peer.expect(format!("pong {}", u64::MAX)).await;
}

#[tokio::test]
async fn a_client_that_says_that_the_server_is_wrong_is_let_go() {
    let (connector, probe) = serve(|server| server);
    let mut peer = with_a_call_running(&connector, &probe).await;
    peer.send(&goaway(1, "I do not like you")).await;
    peer.expect_end().await;
    probe.running(0).await;
    assert_alive(&connector).await;
}

#[tokio::test]
async fn a_client_that_is_gone_leaves_nothing_running() {
    let (connector, probe) = serve(|server| server);
    let peer = with_a_call_running(&connector, &probe).await;
    drop(peer);
    probe.running(0).await;
    assert_alive(&connector).await;
}

#[tokio::test]
async fn a_call_that_came_with_its_cancel_is_not_begun() {
    let (connector, probe) = serve(|server| server);
    let mut peer = ScriptedPeer::client(&connector).await;
    let both = [call((0, 1), NEVER, b""), cancel((0, 1))];
    peer.send(&packet(&both)).await;
    peer.expect("done 0.1").await;
    assert_eq!(probe.begun(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_body_that_stays_away_is_refused_at_its_deadline() {
    let (connector, probe) = serve(|server| server);
    let mut peer = ScriptedPeer::client(&connector).await;
    let mut first = large_request((0, 1), 100_000, b"first");
    first.head[16..24].copy_from_slice(&2_000_000u64.to_le_bytes());
    let start = tokio::time::Instant::now();
    peer.send(&first).await;
    peer.expect("refused 0.1").await;
    assert_eq!(start.elapsed().as_secs(), 2);
    assert_eq!(probe.begun(), 0);
    peer.expect(format!("credit {}", (16 << 20) + 100_000)).await; // its charge returns
    assert_lives(&mut peer, (1, 1)).await;
}

#[tokio::test(start_paused = true)]
async fn a_deadline_stops_a_handler_whose_client_says_nothing_more() {
    let (connector, probe) = serve(|server| server);
    let mut peer = ScriptedPeer::client(&connector).await;
    let mut frame = call((0, 1), NEVER, b"");
    frame.head[16..24].copy_from_slice(&2_000_000u64.to_le_bytes());
    peer.send(&frame).await;
    let answer = peer.frame().await.unwrap();
    assert_eq!((answer.kind, answer.head[0], answer.body[0]), (2, 2, 2));
    probe.running(0).await;
}

#[tokio::test]
async fn a_client_that_never_reads_is_shown_out_when_it_asks_for_too_much() {
    let (connector, _) = serve(|server| server.max_calls(4));
    let mut peer = ScriptedPeer::client(&connector).await;
    // Four answers of 1 MiB that nobody takes; the pipe holds a quarter of one.
    for slot in 0..4 {
        peer.send(&call((slot, 1), LARGE, b"")).await;
    }
    peer.send(&call((0, 2), LARGE, b"")).await;
    // It is noticed while nothing is read.
    let ended = tokio::time::timeout(Duration::from_secs(60), async {
        while peer.try_send(&ping(1).bytes()).await.is_ok() {
            tokio::task::yield_now().await;
        }
    });
    ended.await.expect("the server ends the connection");
    assert_alive(&connector).await;
}
