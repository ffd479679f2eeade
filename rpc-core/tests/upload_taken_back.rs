//! A request that is taken back before anything of it left: its items go nowhere, also when the next call has its name.

mod support;

use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::task::Poll;

use bytes::Bytes;
use futures_util::stream;
use pipe_rpc_core::client::Stub;
use pipe_rpc_core::testing::ScriptedPeer;
use pipe_rpc_core::testing::frame;
use support::service::{ECHO, SWALLOW, method};

/// Polls the future once.
async fn begin<F: Future>(future: &mut Pin<&mut F>) {
    let polled = poll_fn(|cx| Poll::Ready(future.as_mut().poll(cx).is_pending()));
    assert!(polled.await, "it waits");
}

#[tokio::test]
async fn items_of_a_call_that_was_taken_back_never_join_the_next_call() {
    let (channel, mut peer) = ScriptedPeer::server().await;
    let stub = Stub::new(channel, "Probe");
    let items = |text: &'static [u8]| {
        let items = stream::iter(std::iter::repeat_n(Bytes::from_static(text), 3));
        stub.upload(items)
    };
    // Takes the whole window of 1 MiB.
    let mut first = pin!(stub.call::<_, Bytes>(method(ECHO), Bytes::from(vec![0; 2 << 20]), None));
    begin(&mut first).await;
    {
        let large = Bytes::from(vec![0; 1 << 20]);
        let mut withdrawn = pin!(stub.call::<_, Bytes>(method(SWALLOW), large, items(b"old")));
        begin(&mut withdrawn).await;
        tokio::task::yield_now().await;
    }
    // No other task has run since, and this call has the slot and the generation of the last one.
    let mut next = pin!(stub.call::<_, Bytes>(method(SWALLOW), Bytes::new(), items(b"new")));
    begin(&mut next).await;

    let mut sent = Vec::new();
    loop {
        let frame = peer.frame().await.expect("the client stays");
        match (frame.slot, frame.kind) {
            (1, 5) => sent.push(frame.body),
            (1, 6) => break,
            _ => {}
        }
    }
    assert_eq!(sent, [b"new", b"new", b"new"]);
    peer.send(&frame::response((1, 1), b"done")).await;
    assert_eq!(next.await.unwrap(), b"done"[..]);
}
