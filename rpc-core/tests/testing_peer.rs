//! Scripted peers: what they accept, and what they say when a script goes wrong.

use std::time::Duration;

use pipe_rpc_core::server::Server;
use pipe_rpc_core::testing::frame::{self, Frame};
use pipe_rpc_core::testing::{HelloAnswer, ScriptedPeer, hello, serve};
use pipe_rpc_core::transport::memory;

/// Two scripts, one at each end.
fn pair() -> (ScriptedPeer, ScriptedPeer) {
    let (one, other) = memory::pair();
    (ScriptedPeer::new(one), ScriptedPeer::new(other))
}

/// The text of the panic that the script ends with.
async fn failure(script: impl Future<Output = ()> + Send + 'static) -> String {
    let panic = tokio::spawn(script).await.unwrap_err().into_panic();
    *panic.downcast::<String>().expect("a text")
}

#[tokio::test]
async fn frames_are_taken_one_by_one_however_they_share_packets() {
    let (mut one, mut other) = pair();
    one.send([frame::ping(1), frame::ping(2)]).await;
    one.send(frame::cancel((3, 4))).await;
    other.expect(frame::ping(1)).await;
    other.expect("ping 2").await;
    assert_eq!(other.frame().await, Some(frame::cancel((3, 4))));
    one.close();
    other.expect_end().await;
}

#[tokio::test]
async fn a_frame_that_was_not_expected_is_told_with_both_sides_and_what_came_before() {
    let (mut one, mut other) = pair();
    one.send(frame::ping(1)).await;
    one.send(frame::response((0, 1), b"ab")).await;
    let text = failure(async move {
        other.expect("ping 1").await;
        other.send(frame::pong(1)).await;
        other.expect(frame::response((0, 1), b"ba")).await;
    })
    .await;
    let place = format!("the script at {}:", file!());
    assert!(text.starts_with(&place), "{text}");
    let lines: Vec<_> = text.lines().skip(1).map(str::trim).collect();
    assert_eq!(
        lines,
        [
            "response 0.1; flags 0x00; head [00, 00, 00, 00]; body [62, 61]",
            "and there came",
            "response 0.1; flags 0x00; head [00, 00, 00, 00]; body [61, 62]",
            "after it had",
            "received ping 1",
            "sent pong 1",
            "received response 0.1",
        ]
    );
}

#[tokio::test]
async fn the_end_that_was_not_expected_is_told() {
    let (one, mut other) = pair();
    drop(one);
    let text = failure(async move { drop(other.expect("request 0.1").await) }).await;
    assert!(
        text.contains("request 0.1\nand there came\n    the end"),
        "{text}"
    );
}

#[tokio::test]
async fn a_torn_packet_is_told() {
    let (mut one, mut other) = pair();
    one.send(b"torn").await;
    let text = failure(async move { drop(other.frame().await) }).await;
    assert!(
        text.contains("a packet of 4 bytes does not end where its last frame ends"),
        "{text}"
    );
    assert!(text.ends_with("received 4 bytes more"), "{text}");
}

#[tokio::test(start_paused = true)]
async fn what_does_not_come_is_given_up() {
    let (_one, other) = pair();
    let mut other = other.with_patience(Duration::from_secs(5));
    let text = failure(async move { drop(other.expect("pong 1").await) }).await;
    assert!(text.contains("nothing within 5s"), "{text}");
    assert!(text.ends_with("after it had\n    nothing"), "{text}");
}

#[tokio::test]
async fn the_handshake_can_be_done_with_any_greeting_or_not_at_all() {
    let connector = serve(Server::builder().max_calls(7));
    let mut peer = ScriptedPeer::connect(&connector).await;
    let HelloAnswer::Hello(answer) = peer.greet(&hello()).await else {
        panic!("not let in");
    };
    assert_eq!(answer.max_calls, 7);
    let mut peer = ScriptedPeer::connect(&connector).await;
    let mut greeting = hello();
    greeting.codecs.clear();
    let HelloAnswer::Reject(reject) = peer.greet(&greeting).await else {
        panic!("let in");
    };
    assert!(
        reject.text.starts_with("no codec that both ends offer"),
        "{}",
        reject.text
    );
    let mut peer = ScriptedPeer::connect(&connector).await;
    peer.send(frame::ping(1)).await;
    assert!(peer.recv().await.unwrap().starts_with(b"pipe-rej"));
}

#[test]
fn every_kind_of_frame_comes_apart_as_it_was_put_together() {
    let call = (0x0102_0304, 0x0506_0708);
    let frames = [
        frame::request(call, b"body")
            .to("Thesaurus", "synonyms")
            .with_depth(2),
        frame::request(call, b"")
            .with_time_left(Duration::from_millis(3))
            .oneway(),
        frame::large_request(call, 10, b"part"),
        frame::request_part(call, true, b"part"),
        frame::request_part(call, false, b"part"),
        frame::response(call, b"body"),
        frame::failed(call, b"body"),
        frame::faulted(call, frame::fault_record(11, 3, "it panicked")),
        frame::large_response(call, 10, b"part"),
        frame::response_part(call, false, b"part"),
        frame::refused(call),
        frame::stream(call),
        frame::item(call, b"item"),
        frame::large_item(call, 10, b"part"),
        frame::end(call),
        frame::end_failed(call, b"error"),
        frame::stream_credit(call, 5),
        frame::cancel(call),
        frame::done(call),
        frame::credit(u64::MAX),
        frame::ping(1),
        frame::pong(1),
        frame::goaway(1, "text"),
        frame::farewell(),
        frame::farewell_ack(),
        Frame::new(200, 0xff, call).with_head([1]).with_body([2; 70]),
    ];
    assert_eq!(Frame::all_of(&frame::packet(&frames)), frames);
    assert_eq!(frames[0].to_string(), "request 16909060.84281096");
    assert_eq!(frames[1].head[16..24], 3000u64.to_le_bytes());
    assert_eq!(frames[11].to_string(), "response 16909060.84281096 stream");
    assert_eq!(frames[16].to_string(), "credit 16909060.84281096 5");
    assert_eq!(frames[18].to_string(), "done 16909060.84281096");
    assert_eq!(frames[19].number(), u64::MAX);
    assert_eq!(frames[25].to_string(), "kind 200 more");
}

#[test]
fn malformed_frames_can_be_shown() {
    let shown = |frame: Frame| frame.to_string();
    assert_eq!(shown(frame::ping(1).with_head([1; 7])), "ping without its number");
    assert_eq!(
        shown(frame::done((0, 1)).with_body([0; 9])),
        "done 0.0 half a pair"
    );
    assert_eq!(shown(Frame::new(0, 0, (0, 0))), "kind 0");
}
