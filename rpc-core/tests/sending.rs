//! What sending must not keep a connection from.

mod support;

use std::io::IoSlice;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Mutex, OnceLock, mpsc};

use bytes::Bytes;
use pipe_rpc_core::client::Stub;
use pipe_rpc_core::testing::ScriptedPeer;
use pipe_rpc_core::testing::frame::{Frame, ping, pong};
use pipe_rpc_core::transport::{PacketSender, memory};
use support::hooked::hooked;
use support::service::{ECHO, method};

const REQUEST: u8 = 1;
const FRAGMENT: u8 = 4;

/// The kind of a packet's first frame; 0 of a greeting.
fn kind(packet: &[u8]) -> u8 {
    match packet {
        [b'p', b'i', b'p', b'e', ..] => 0,
        packet => packet[4],
    }
}

#[tokio::test]
async fn a_peer_that_reads_as_fast_as_it_is_written_to_is_heard() {
    let (ours, theirs) = memory::pair();
    let peer = Arc::new(OnceLock::<Box<dyn PacketSender>>::new());
    let (answered, answer) = tokio::sync::oneshot::channel();
    let answered = Mutex::new(Some(answered));
    let (fragments, at_ping) = (AtomicUsize::new(0), Arc::clone(&peer));
    let hook = move |sent: &[u8]| {
        if kind(sent) == FRAGMENT && fragments.fetch_add(1, SeqCst) == 8 {
            let ping = ping(7).bytes();
            at_ping.get().unwrap().try_send(&[IoSlice::new(&ping)]).unwrap();
        }
        if sent == pong(7).bytes() {
            let answered = answered.lock().unwrap().take().unwrap();
            answered.send(fragments.load(SeqCst)).unwrap();
        }
        // Taken at once, as by a peer that reads while it is written to.
        matches!(kind(sent), 0 | REQUEST)
    };
    let (channel, script) = ScriptedPeer::server_over(hooked(ours, Box::new(hook)), theirs).await;
    let link = script.into_link();
    assert!(peer.set(link.sender).is_ok());

    let stub = Stub::new(channel.clone(), "Probe");
    let body = Bytes::from(vec![0; 16 << 20]);
    let call = tokio::spawn(async move { stub.call::<_, Bytes>(method(ECHO), body, None).await });

    let fragments = answer.await.unwrap();
    assert!(fragments < 64, "after {fragments} of 256 fragments");
    call.abort();
}

#[test]
fn a_report_waits_for_the_packet_that_is_being_sent() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let (ours, theirs) = memory::pair();
    let (sending, is_sending) = mpsc::channel();
    let (go_on, may_go_on) = mpsc::channel();
    let may_go_on = Mutex::new(may_go_on);
    let hook = move |sent: &[u8]| {
        if kind(sent) == REQUEST {
            sending.send(()).unwrap();
            may_go_on.lock().unwrap().recv().unwrap();
        }
        true
    };
    let (channel, mut peer) =
        runtime.block_on(ScriptedPeer::server_over(hooked(ours, Box::new(hook)), theirs));
    let handle = runtime.handle().clone();
    let caller = std::thread::spawn(move || {
        let stub = Stub::new(channel, "Probe");
        handle.block_on(stub.call::<_, Bytes>(method(ECHO), Bytes::new(), None))
    });
    is_sending.recv().unwrap();

    runtime.block_on(async {
        peer.send(&Frame::new(99, 0, (0, 0))).await;
        // The driver takes it in and sees that somebody is sending.
        for _ in 0..8 {
            tokio::task::yield_now().await;
        }
        go_on.send(()).unwrap();
        let report = peer.expect_protocol_error().await;
        assert!(report.contains("99"), "{report}");
    });
    caller.join().unwrap().unwrap_err();
}
