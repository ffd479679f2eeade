//! Servers that break the protocol: every open call ends, with what the server did as its source.

mod support;

use std::error::Error;
use std::time::Duration;

use bytes::Bytes;
use pipe_rpc_core::client::{Channel, Stub};
use pipe_rpc_core::connection::ConnectionError;
use pipe_rpc_core::fault::{Fault, Outcome, Reason};
use pipe_rpc_core::testing::ScriptedPeer;
use pipe_rpc_core::testing::frame::{
    Frame, MORE, OPENER, cancel, done, goaway, large_response, packet, ping, refused, request, response,
    response_part,
};
use support::service::{ECHO, NEVER, TOUCH, method};

fn stub(channel: &Channel) -> Stub<Channel> {
    Stub::new(channel.clone(), "Probe")
}

/// A call that the server has received and not answered.
async fn open_call() -> (
    Channel,
    ScriptedPeer,
    tokio::task::JoinHandle<Result<Bytes, Fault>>,
) {
    let (channel, mut peer) = ScriptedPeer::server().await;
    let stub = stub(&channel);
    let call = tokio::spawn(async move { stub.call(method(ECHO), Bytes::from_static(b"hello"), None).await });
    peer.expect("request 0.1").await;
    (channel, peer, call)
}

fn chain(error: &dyn Error) -> Vec<String> {
    let mut texts = vec![error.to_string()];
    let mut source = error.source();
    while let Some(error) = source {
        texts.push(error.to_string());
        source = error.source();
    }
    texts
}

/// The server sends the packet; the open call's fault names what was wrong, and so does the report to the server.
async fn lost_by(packet: &[u8], text: &str) {
    let (channel, mut peer, call) = open_call().await;
    peer.send(packet).await;
    let fault = call.await.unwrap().unwrap_err();
    assert_eq!(
        (fault.outcome(), fault.reason()),
        (Outcome::MayHaveRun, Reason::ConnectionLost)
    );
    assert_eq!(
        chain(&fault),
        [
            "the call may have run: the connection was lost",
            "the other end broke the protocol",
            text
        ]
    );
    assert_eq!(peer.expect_protocol_error().await, text);
    assert!(matches!(*channel.closed().await, ConnectionError::Protocol(_)));
    let later: Result<Bytes, _> = stub(&channel).call(method(ECHO), Bytes::new(), None).await;
    let later = later.unwrap_err();
    assert_eq!(
        (later.outcome(), later.reason()),
        (Outcome::NotSent, Reason::ConnectionLost)
    );
    assert_eq!(chain(&later)[2], text);
}

#[tokio::test]
async fn what_no_server_may_send_ends_the_connection() {
    let adds_up = "the fragments of call 0.1 do not add up to the size that was declared";
    let head = |kind: u8| format!("the head of a frame of kind {kind} has the wrong length or contents");
    let mut strange_status = response((0, 1), b"");
    strange_status.head[0] = 3;
    let mut large_fault = large_response((0, 1), 10, b"x");
    large_fault.head[0] = 2;
    let frames: Vec<(Frame, &str)> = vec![
        (response((0, 2), b""), "call 0.2 was used out of turn"),
        (response((5, 1), b""), "call 5.1 was used out of turn"),
        (refused((u32::MAX, 1)), "call 4294967295.1 was used out of turn"),
        (done((0, 1)), "call 0.1 was ended without a result"),
        (response_part((0, 1), true, b"x"), adds_up),
        (response_part((0, 1), false, b"x"), adds_up),
        (large_response((0, 1), 3, b"abc"), adds_up),
        (large_response((0, 1), 3, b""), adds_up),
        (
            request((9999, 1), b""),
            "slot 9999 is beyond the 2048 calls that were granted",
        ),
        (
            Frame::new(99, MORE, (0, 1)),
            "frame kind 99 is unknown or was not agreed on",
        ),
        (
            response((0, 1), b"").with_flags(OPENER),
            "a frame of kind 2 came from the wrong end of its call",
        ),
    ];
    for (frame, text) in frames {
        lost_by(&frame.bytes(), text).await;
    }
    lost_by(&strange_status.bytes(), &head(2)).await;
    lost_by(&large_fault.bytes(), &head(2)).await;
    lost_by(
        &[0xff; 15],
        "a packet of 15 bytes does not end where its last frame ends",
    )
    .await;
}

#[tokio::test]
async fn a_second_response_is_ignored_until_its_slot_is_used_again() {
    let (channel, mut peer, call) = open_call().await;
    let twice = [response((0, 1), b"first"), response((0, 1), b"second")];
    peer.send(&packet(&twice)).await;
    assert_eq!(call.await.unwrap().unwrap(), Bytes::from_static(b"first"));
    let stub = stub(&channel);
    let next = tokio::spawn(async move { stub.call::<_, Bytes>(method(ECHO), Bytes::new(), None).await });
    peer.expect("request 0.2").await;
    peer.send(&response((0, 1), b"far too late")).await;
    let fault = next.await.unwrap().unwrap_err();
    assert_eq!(chain(&fault)[2], "call 0.1 was used out of turn");
}

#[tokio::test]
async fn a_server_that_reports_an_error_is_quoted() {
    let (_channel, mut peer, call) = open_call().await;
    peer.send(&goaway(1, "call 0.1 was used out of turn")).await;
    let fault = call.await.unwrap().unwrap_err();
    assert_eq!(
        chain(&fault),
        [
            "the call may have run: the connection was lost",
            "the other end ended the connection: call 0.1 was used out of turn"
        ]
    );
    peer.expect_end().await;
}

#[tokio::test]
async fn a_server_that_is_gone_without_a_word_is_told_so() {
    let (_channel, peer, call) = open_call().await;
    drop(peer);
    let fault = call.await.unwrap().unwrap_err();
    assert_eq!(fault.outcome(), Outcome::MayHaveRun);
    assert_eq!(
        chain(&fault)[1],
        "the other end is gone without a word; its process most likely ended"
    );
}

#[tokio::test]
async fn a_faults_text_is_shown_whatever_it_is_made_of() {
    let (_channel, mut peer, call) = open_call().await;
    let mut record = vec![0; 20];
    (record[0], record[1], record[2]) = (0xff, 0xff, 77);
    record.extend_from_slice(b"bad \xff\xfe utf-8");
    let mut answer = response((0, 1), &record);
    answer.head[0] = 2;
    peer.send(&answer).await;
    let fault = call.await.unwrap().unwrap_err();
    assert_eq!(
        (fault.outcome(), fault.reason()),
        (Outcome::MayHaveRun, Reason::Other)
    );
    assert_eq!(fault.detail(), Some("bad \u{fffd}\u{fffd} utf-8"));
}

#[tokio::test]
async fn a_body_that_is_no_value_ends_its_call_alone() {
    let (channel, mut peer) = ScriptedPeer::server().await;
    let stub = stub(&channel);
    let call = tokio::spawn(async move { stub.call::<_, String>(method(ECHO), (), None).await });
    peer.expect("request 0.1").await;
    peer.send(&response((0, 1), &[0xff; 9])).await;
    let fault = call.await.unwrap().unwrap_err();
    assert_eq!((fault.outcome(), fault.reason()), (Outcome::Ran, Reason::Decode));
    peer.send(&ping(5)).await;
    peer.expect("pong 5").await; // the connection lives
}

#[tokio::test]
async fn a_response_over_the_limit_ends_its_call_alone_which_is_cancelled() {
    let (channel, mut peer) = ScriptedPeer::server().await;
    for (generation, size) in [(1, (128 << 20) + 1), (2, u64::MAX)] {
        let stub = stub(&channel);
        let call = tokio::spawn(async move { stub.call::<_, Bytes>(method(ECHO), (), None).await });
        peer.expect(&*format!("request 0.{generation}")).await;
        peer.send(&large_response((0, generation), size, b"abc")).await;
        let fault = call.await.unwrap().unwrap_err();
        let limit = 128 << 20;
        assert_eq!(
            (fault.outcome(), fault.reason()),
            (Outcome::Ran, Reason::BodyTooLarge { size, limit })
        );
        peer.expect(&*format!("cancel 0.{generation}")).await;
        peer.send(&response_part((0, generation), true, b"late")).await;
        peer.send(&done((0, generation))).await;
    }
    peer.send(&ping(5)).await;
    peer.expect("pong 5").await; // the connection lives
}

#[tokio::test]
async fn calls_of_a_server_to_a_client_that_serves_nothing_are_refused() {
    let (_channel, mut peer) = ScriptedPeer::server().await;
    peer.send(&request((0, 1), b"")).await;
    let frame = peer.frame().await.unwrap();
    assert_eq!((frame.kind, frame.body[0]), (3, 5));
}

#[tokio::test(start_paused = true)]
async fn a_server_that_never_answers_is_given_up_at_the_deadline() {
    let (channel, mut peer) = ScriptedPeer::server().await;
    let stub = stub(&channel).with_timeout(Duration::from_secs(3));
    let call = stub.call::<_, ()>(method(NEVER), (), None);
    let fault = call.await.unwrap_err();
    assert_eq!(
        (fault.outcome(), fault.reason()),
        (Outcome::MayHaveRun, Reason::DeadlineExceeded)
    );
    peer.expect("request 0.1").await;
    peer.expect(cancel((0, 1))).await;
}

#[tokio::test(start_paused = true)]
async fn a_server_that_frees_no_slot_leaves_calls_unsent() {
    let (channel, _peer) = ScriptedPeer::server().await;
    let stub = stub(&channel).with_timeout(Duration::from_secs(3));
    // The script grants 16 calls; the callers give up, and the slots stay taken.
    for _ in 0..16 {
        let fault = stub.call::<_, ()>(method(NEVER), (), None).await.unwrap_err();
        assert_eq!(fault.outcome(), Outcome::MayHaveRun);
    }
    let fault = stub.call::<_, ()>(method(NEVER), (), None).await.unwrap_err();
    assert_eq!(
        (fault.outcome(), fault.reason()),
        (Outcome::NotSent, Reason::DeadlineExceeded)
    );
}

#[tokio::test]
async fn a_oneway_call_may_end_by_done_or_be_refused() {
    let (channel, mut peer) = ScriptedPeer::server().await;
    let stub = stub(&channel);
    stub.oneway(method(TOUCH), (), None).await.unwrap();
    peer.expect("request 0.1").await;
    peer.send(&done((0, 1))).await;
    peer.send(&ping(1)).await;
    peer.expect("pong 1").await;
    stub.oneway(method(TOUCH), (), None).await.unwrap();
    peer.expect("request 0.2").await; // the slot was free again
}

#[tokio::test]
async fn goaway_ends_no_open_call_and_lets_none_begin() {
    let (channel, mut peer, call) = open_call().await;
    peer.send(&goaway(0, "restarting")).await;
    peer.send(&ping(1)).await;
    peer.expect("pong 1").await;
    let later = stub(&channel)
        .call::<_, Bytes>(method(ECHO), Bytes::new(), None)
        .await;
    let later = later.unwrap_err();
    assert_eq!(
        (later.outcome(), later.reason()),
        (Outcome::NotSent, Reason::Draining)
    );
    peer.send(&response((0, 1), b"done all the same")).await;
    assert_eq!(
        call.await.unwrap().unwrap(),
        Bytes::from_static(b"done all the same")
    );
}
