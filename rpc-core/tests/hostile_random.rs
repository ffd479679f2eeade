//! Random bytes and random frames: nothing panics, and an honest client is served after.

mod support;

use std::sync::Once;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bytes::Bytes;
use futures_util::stream;
use pipe_rpc_core::client::Stub;
use pipe_rpc_core::streaming::NoError;
use pipe_rpc_core::testing::frame::{EXT, Frame, MORE, ONEWAY, OPENER, STREAM, packet};
use pipe_rpc_core::testing::{ScriptedPeer, hello};
use proptest::prelude::*;
use support::peer::{assert_alive, serve};
use support::service::{ECHO, FLOOD, HOARD, NEVER, SERVICE, SWALLOW, TOUCH, method};

/// Panics of any thread or task; the connection's tasks swallow theirs.
static PANICS: AtomicUsize = AtomicUsize::new(0);

fn count_panics() -> usize {
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        let before = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| {
            PANICS.fetch_add(1, Ordering::SeqCst);
            before(panic);
        }));
    });
    PANICS.load(Ordering::SeqCst)
}

/// A frame that is nearly right.
fn frame() -> impl Strategy<Value = Frame> {
    let kind = prop_oneof![20 => 1..15u8, 1 => any::<u8>()];
    let flags = prop_oneof![
        8 => prop::sample::select(vec![0, OPENER, OPENER | MORE, MORE, OPENER | ONEWAY]),
        4 => prop::sample::select(vec![STREAM, OPENER | STREAM, OPENER | STREAM | MORE]),
        1 => Just(OPENER | EXT),
        1 => any::<u8>(),
    ];
    let slot = prop_oneof![10 => 0..3u32, 1 => any::<u32>()];
    let generation = prop_oneof![10 => 1..3u32, 1 => any::<u32>()];
    let body = prop_oneof![
        4 => prop::collection::vec(any::<u8>(), 0..30),
        1 => prop::collection::vec(any::<u8>(), 4000..9000),
    ];
    let odd = prop::option::weighted(0.05, prop::collection::vec(any::<u8>(), 0..40));
    let method = prop::sample::select(vec![ECHO, NEVER, TOUCH, FLOOD, HOARD, SWALLOW, 0]);
    let total = prop_oneof![4 => 1..60u64, 1 => any::<u64>()];
    (kind, flags, (slot, generation), body, odd, method, total).prop_map(
        |(kind, flags, call, body, odd, method, total)| {
            let head = odd.unwrap_or_else(|| head(kind, flags, method, total));
            Frame::new(kind, flags, call).with_head(head).with_body(body)
        },
    )
}

/// A head of the right length.
fn head(kind: u8, flags: u8, method: u32, total: u64) -> Vec<u8> {
    let mut head = match kind {
        1 => {
            let mut head = vec![0; 28];
            head[0..4].copy_from_slice(&SERVICE.to_le_bytes());
            head[4..8].copy_from_slice(&method.to_le_bytes());
            // Sometimes a deadline, sometimes nested.
            (head[16], head[24]) = ((total % 3) as u8, u8::from(total.is_multiple_of(5)));
            head
        }
        2 if flags & STREAM != 0 => vec![0; 4],
        2 => vec![(total % 3) as u8, 0, 0, 0],
        6 => return vec![(total % 3) as u8, 0, 0, 0],
        5 => Vec::new(),
        9..=11 => return total.to_le_bytes().to_vec(),
        12 => return vec![(total % 2) as u8, 0],
        _ => return Vec::new(),
    };
    if flags & MORE != 0 {
        head.extend_from_slice(&total.to_le_bytes());
    }
    head
}

/// Packets of nearly right frames, and now and then plain garbage.
fn packets() -> impl Strategy<Value = Vec<Vec<u8>>> {
    let framed = prop::collection::vec(frame(), 1..5).prop_map(|frames| packet(&frames));
    let garbage = prop::collection::vec(any::<u8>(), 1..200);
    prop::collection::vec(prop_oneof![20 => framed, 1 => garbage], 1..20)
}

fn in_runtime(script: impl Future<Output = ()>) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .unwrap();
    runtime.block_on(script);
}

/// Sends what still can be sent.
async fn send_all(peer: &mut ScriptedPeer, packets: Vec<Vec<u8>>) {
    for packet in packets {
        if peer.try_send(&packet).await.is_err() {
            return;
        }
        tokio::task::yield_now().await;
        peer.skip_arrived();
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 150, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_server_withstands_any_frames(packets in packets()) {
        let before = count_panics();
        in_runtime(async {
            let (connector, probe) = serve(|server| server.max_calls(3).max_body(10_000).window(100));
            let mut peer = ScriptedPeer::client(&connector).await;
            send_all(&mut peer, packets).await;
            drop(peer);
            // Oneway handlers may outlive the connection, and those of this probe that end never are not oneway here.
            assert_alive(&connector).await;
            drop(probe);
        });
        prop_assert_eq!(count_panics(), before);
    }

    #[test]
    fn a_client_withstands_any_frames(packets in packets()) {
        let before = count_panics();
        in_runtime(async {
            let (channel, mut peer) = ScriptedPeer::server().await;
            let calls: Vec<_> = (0..2)
                .map(|_| {
                    let stub = Stub::new(channel.clone(), "Probe").with_timeout(Duration::from_secs(1));
                    tokio::spawn(async move { stub.call::<_, Bytes>(method(ECHO), Bytes::new(), None).await })
                })
                .collect();
            let stub = Stub::new(channel, "Probe").with_timeout(Duration::from_secs(1));
            let streaming = tokio::spawn(async move {
                let items = stub.upload(stream::iter(std::iter::repeat_n(Bytes::new(), 500)));
                let opened = stub.stream::<_, Bytes, NoError>(method(FLOOD), Bytes::new(), items).await;
                if let Ok(mut items) = opened {
                    while items.next().await.is_some() {}
                }
            });
            tokio::task::yield_now().await;
            send_all(&mut peer, packets).await;
            drop(peer);
            streaming.await.unwrap();
            for call in calls {
                // Every call ends; how is the peer's affair.
                let _ = call.await.unwrap();
            }
        });
        prop_assert_eq!(count_panics(), before);
    }

    #[test]
    fn a_server_withstands_any_greeting(
        noise in prop::collection::vec(any::<u8>(), 1..300),
        place in any::<prop::sample::Index>(),
        byte in any::<u8>(),
    ) {
        let before = count_panics();
        in_runtime(async {
            let (connector, _probe) = serve(|server| server);
            let mut changed = hello().encode();
            let at = place.index(changed.len());
            changed[at] = byte;
            for greeting in [noise, changed] {
                let mut peer = ScriptedPeer::connect(&connector).await;
                peer.send(&greeting).await;
                peer.recv().await;
            }
            assert_alive(&connector).await;
        });
        prop_assert_eq!(count_panics(), before);
    }
}
