//! Peers that break the rules of streams: each loses its connection with a reason, and no call is left waiting.

mod support;

use bytes::Bytes;
use pipe_rpc_core::client::{Channel, Stub};
use pipe_rpc_core::connection::ConnectionError;
use pipe_rpc_core::fault::{CallError, Fault, Outcome, Reason};
use pipe_rpc_core::streaming::Streaming;
use pipe_rpc_core::testing::frame::{
    Frame, cancel, done, end, end_failed, item, item_part, large_item, refused, request_part, response,
    stream, stream_credit,
};
use pipe_rpc_core::testing::{self, ScriptedPeer};
use pipe_rpc_core::transport::memory;
use support::peer::{assert_alive, call, serve};
use support::service::{FLOOD, HOARD, NEVER, SWALLOW, method};

const FIRST: (u32, u32) = (0, 1);

fn adds_up(call: &str) -> String {
    format!("the fragments of call {call} do not add up to the size that was declared")
}

fn no_stream(call: &str) -> String {
    format!("call {call} has no such stream of items, or it is over")
}

/// A client sends the frames to a server, one packet each, and is shown out with that text; its handlers end.
async fn shown_out(frames: &[Frame], text: &str) {
    let (connector, probe) = serve(|server| server.max_body(1 << 20));
    let mut peer = ScriptedPeer::client(&connector).await;
    peer.send(&call(FIRST, HOARD, b"").upload().with_buffer(1)).await;
    peer.send(&call((1, 1), NEVER, b"")).await;
    probe.running(2).await;
    for frame in frames {
        peer.send(frame).await;
    }
    assert_eq!(peer.expect_protocol_error().await, text);
    probe.running(0).await;
    assert_alive(&connector).await;
}

#[tokio::test]
async fn items_beyond_their_credit() {
    let full = item(FIRST, &[0; 1024]).by_caller();
    let text = "an item of call 0.1 came beyond the credit of its stream";
    shown_out(&[full.clone(), item(FIRST, b"").by_caller()], text).await;
    let begun = large_item(FIRST, 100_000, &[0; 1000]).by_caller();
    let rest = request_part(FIRST, false, &[0; 60_000]);
    let rest = [request_part(FIRST, true, &[0; 39_000]), rest];
    let frames = [&[begun][..], &rest, &[full]].concat();
    shown_out(&frames, text).await;
}

#[tokio::test]
async fn items_over_the_largest_body() {
    let text = "an item of 1048577 bytes is over the stated limit of 1048576";
    let large = large_item(FIRST, (1 << 20) + 1, b"x").by_caller();
    shown_out(&[large], text).await;
}

#[tokio::test]
async fn large_items_begun_while_others_fill_the_window() {
    let (connector, probe) = serve(|server| server.max_body(1 << 20).window(1 << 20));
    let mut peer = ScriptedPeer::client(&connector).await;
    for slot in 0..2 {
        peer.send(&call((slot, 1), SWALLOW, b"").upload()).await;
        peer.send(&large_item((slot, 1), 1 << 20, b"begun").by_caller())
            .await;
    }
    let text = "a large item of call 1.1 was begun while the window was full of others";
    assert_eq!(peer.expect_protocol_error().await, text);
    probe.running(0).await;
    assert_alive(&connector).await;
}

#[tokio::test]
async fn fragments_of_items_that_do_not_add_up() {
    let begun = || large_item(FIRST, 10, b"begun").by_caller();
    let (more, last) = (true, false);
    let wrongs = [
        vec![request_part(FIRST, last, b"x")],
        vec![begun(), request_part(FIRST, last, b"1234")],
        vec![begun(), request_part(FIRST, last, b"123456")],
        vec![begun(), request_part(FIRST, more, b"12345")],
        vec![begun(), request_part(FIRST, more, b"")],
        vec![begun(), begun()],
        vec![begun(), item(FIRST, b"x").by_caller()],
        vec![begun(), end(FIRST).by_caller()],
        vec![large_item(FIRST, 10, b"").by_caller()],
        vec![large_item(FIRST, 5, b"whole").by_caller()],
    ];
    for frames in wrongs {
        shown_out(&frames, &adds_up("0.1")).await;
    }
    let at_rest = vec![begun(), request_part(FIRST, last, b"12345")];
    let again = [at_rest, vec![request_part(FIRST, last, b"x")]].concat();
    shown_out(&again, &adds_up("0.1")).await;
}

#[tokio::test]
async fn items_where_there_is_no_stream_or_after_its_end() {
    for wrong in [
        item((1, 1), b"x").by_caller(),
        large_item((1, 1), 10, b"x").by_caller(),
        end((1, 1)).by_caller(),
        end_failed((1, 1), b"x").by_caller(),
    ] {
        shown_out(&[wrong], &no_stream("1.1")).await;
    }
    let over = || end(FIRST).by_caller();
    shown_out(&[over(), over()], &no_stream("0.1")).await;
    shown_out(&[over(), item(FIRST, b"x").by_caller()], &no_stream("0.1")).await;
}

#[tokio::test]
async fn frames_of_calls_that_never_were() {
    let text = "call 9.1 was used out of turn";
    for wrong in [
        item((9, 1), b"x").by_caller(),
        end((9, 1)).by_caller(),
        stream_credit((9, 1), 1).by_caller(),
        item((9, 1), b"x"),
        end((9, 1)),
        stream((9, 1)),
        stream_credit((9, 1), 1),
    ] {
        shown_out(&[wrong], text).await;
    }
}

#[tokio::test]
async fn a_oneway_request_with_items() {
    let text = "the head of a frame of kind 1 has the wrong length or contents";
    shown_out(&[call((2, 1), SWALLOW, b"").upload().oneway()], text).await;
}

#[tokio::test]
async fn items_that_come_after_the_callee_has_ended_the_call_are_late_within_their_credit() {
    let (connector, probe) = serve(|server| server);
    let mut peer = ScriptedPeer::client(&connector).await;
    peer.send(&call(FIRST, HOARD, b"").upload().with_buffer(1)).await;
    probe.running(1).await;
    peer.send(cancel(FIRST)).await;
    peer.expect("done 0.1").await;
    peer.send(large_item(FIRST, 500, b"never whole").by_caller())
        .await;
    peer.send(stream_credit(FIRST, 1 << 40).by_caller()).await;
    peer.send(end_failed(FIRST, b"enough").by_caller()).await;
    peer.send(&call((0, 2), SWALLOW, b"").upload()).await;
    peer.send([item((0, 2), b"one").by_caller(), end((0, 2)).by_caller()])
        .await;
    let answer = peer.expect("response 0.2").await;
    assert_eq!(answer.body, 1u64.to_le_bytes());
    peer.send(item((0, 2), b"late").by_caller()).await;
    assert_eq!(peer.expect_protocol_error().await, no_stream("0.2"));
}

#[tokio::test]
async fn credit_where_there_is_no_stream_means_nothing() {
    let (connector, probe) = serve(|server| server);
    let mut peer = ScriptedPeer::client(&connector).await;
    peer.send(&call(FIRST, NEVER, b"")).await;
    probe.running(1).await;
    for granted in [0, 1 << 40, u64::MAX] {
        peer.send(stream_credit(FIRST, granted).by_caller()).await;
    }
    peer.send(cancel(FIRST)).await;
    peer.expect("done 0.1").await;
}

#[tokio::test]
async fn a_client_that_takes_no_streams_is_answered_by_a_fault() {
    let (connector, probe) = serve(|server| server);
    let mut peer = ScriptedPeer::connect(&connector).await;
    let hello = testing::Hello {
        stream: 0,
        ..testing::hello()
    };
    peer.greet(&hello).await;
    peer.send(&call(FIRST, FLOOD, b"x")).await;
    let answer = peer.expect("response 0.1").await;
    assert_eq!(answer.head[0], 2);
    probe.running(0).await;
}

/// A client whose stream the server has opened, and the first value of it.
async fn opened() -> (Channel, ScriptedPeer, Streaming<Bytes>) {
    let (channel, mut peer) = ScriptedPeer::server().await;
    let stub = Stub::new(channel.clone(), "Probe");
    let opening = tokio::spawn(async move { stub.stream(method(FLOOD), Bytes::new(), None).await });
    peer.expect("request 0.1").await;
    peer.send([stream(FIRST), item(FIRST, b"first")]).await;
    let mut items: Streaming<Bytes> = opening.await.unwrap().unwrap();
    assert_eq!(items.next().await.unwrap().unwrap(), b"first"[..]);
    (channel, peer, items)
}

fn lost(item: Option<Result<Bytes, CallError<pipe_rpc_core::streaming::NoError>>>) -> Fault {
    match item {
        Some(Err(CallError::Fault(fault))) => fault,
        other => panic!("not a fault but {other:?}"),
    }
}

#[tokio::test]
async fn a_server_that_breaks_the_rules_of_its_stream_is_left() {
    let beyond = "an item of call 0.1 came beyond the credit of its stream";
    let turn = "call 0.1 was used out of turn";
    let begun = || large_item(FIRST, 10, b"begun");
    let wrongs = [
        (vec![begun(), item(FIRST, b"x")], adds_up("0.1")),
        (vec![begun(), end(FIRST)], adds_up("0.1")),
        (vec![begun(), item_part(FIRST, false, b"x")], adds_up("0.1")),
        (vec![item_part(FIRST, false, b"x")], adds_up("0.1")),
        (vec![stream(FIRST)], turn.to_owned()),
        (vec![response(FIRST, b"x")], turn.to_owned()),
        (vec![refused(FIRST)], turn.to_owned()),
        (
            vec![done(FIRST)],
            "call 0.1 was ended without a result".to_owned(),
        ),
        (
            vec![item((1, 1), b"x")],
            "call 1.1 was used out of turn".to_owned(),
        ),
        (
            vec![end(FIRST).with_head([3, 0, 0, 0])],
            "the head of a frame of kind 6 has the wrong length or contents".to_owned(),
        ),
        (
            vec![large_item(FIRST, u64::MAX, b"x")],
            format!(
                "an item of {} bytes is over the stated limit of {}",
                u64::MAX,
                128 << 20
            ),
        ),
        (
            [vec![item(FIRST, &[0; 60_000]); 5], vec![item(FIRST, b"")]].concat(),
            beyond.to_owned(),
        ),
    ];
    for (frames, text) in wrongs {
        let (channel, mut peer, mut items) = opened().await;
        for frame in &frames {
            peer.send(frame).await;
        }
        assert_eq!(peer.expect_protocol_error().await, text);
        assert!(matches!(*channel.closed().await, ConnectionError::Protocol(_)));
        // What came before is read, and then the fault; never an end.
        let last = loop {
            match items.next().await {
                Some(Ok(_)) => {}
                last => break last,
            }
        };
        let fault = lost(last);
        assert_eq!(
            (fault.outcome(), fault.reason()),
            (Outcome::MayHaveRun, Reason::ConnectionLost)
        );
        assert!(items.next().await.is_none());
    }
}

#[tokio::test]
async fn a_stream_to_a_server_that_takes_none_is_not_sent() {
    let (ours, theirs) = memory::pair();
    let mut peer = ScriptedPeer::new(theirs);
    let config = pipe_rpc_core::connection::Config::default();
    let hello = testing::Hello {
        stream: 0,
        ..testing::hello()
    };
    let (channel, _) = tokio::join!(Channel::open(ours, &config), peer.welcome(&hello));
    let stub = Stub::new(channel.unwrap(), "Probe");
    let items = stub.upload(futures_util::stream::iter([Bytes::new()]));
    let called: Result<Bytes, Fault> = stub.call(method(SWALLOW), Bytes::new(), items).await;
    assert_eq!(called.unwrap_err().outcome(), Outcome::NotSent);
}
