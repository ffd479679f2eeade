//! Peers that announce, flood, or never read: memory grows with what arrives and is wanted, and not beyond.

mod support;

use std::alloc::System;
use std::future::Future;

use bytes::Bytes;
use peakmem_alloc::{INSTRUMENTED_SYSTEM, PeakMemAlloc, PeakMemAllocTrait as _};
use pipe_rpc_core::client::Stub;
use pipe_rpc_core::server::ServerBuilder;
use pipe_rpc_core::testing::ScriptedPeer;
use pipe_rpc_core::testing::frame::{
    self, Frame, item, large_item, large_request, large_response, packet, ping, request, request_part,
    stream_credit,
};
use support::peer::{assert_alive, call, serve};
use support::service::{ECHO, FLOOD, HOARD, LARGE, NEVER, SWALLOW, method};

#[global_allocator]
static COUNTING: &PeakMemAlloc<System> = &INSTRUMENTED_SYSTEM;

/// One at a time: the allocator counts the whole process.
static TURN: tokio::sync::Mutex<()> = tokio::sync::Mutex::const_new(());

const MIB: usize = 1 << 20;

/// What both ends and the pipe between them hold when nothing is wrong: its buffers (a quarter MiB each way) and pools.
const ORDINARY: usize = 6 * MIB;

/// Runs `script` with a client that was let in; at no time is more than `limit` held in addition.
async fn within<F: Future<Output = ScriptedPeer>>(
    limit: usize,
    configure: impl FnOnce(ServerBuilder) -> ServerBuilder,
    script: impl FnOnce(ScriptedPeer) -> F,
) {
    let _turn = TURN.lock().await;
    let (connector, _) = serve(configure);
    let peer = ScriptedPeer::client(&connector).await;
    COUNTING.reset_peak_memory();
    let peer = script(peer).await;
    let grown = COUNTING.get_peak_memory();
    assert!(grown < limit, "{grown} bytes, and the limit is {limit}");
    drop(peer);
    assert_alive(&connector).await;
}

/// Sends the packet up to that often; stops when it is shown out. Lets the server run in between.
async fn flood(peer: &mut ScriptedPeer, packet: &[u8], times: usize) {
    for _ in 0..times {
        if peer.try_send(packet).await.is_err() {
            return;
        }
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn a_gigabyte_that_never_comes_costs_nothing() {
    let generous = |server: ServerBuilder| server.max_body(4 << 30).window(4 << 30);
    within(ORDINARY, generous, |mut peer| async {
        for slot in 0..3 {
            peer.send(&large_request((slot, 1), 1 << 30, &[0; 1000])).await;
            peer.send(&request_part((slot, 1), true, &[0; 1000])).await;
        }
        peer.send(&ping(1)).await;
        peer.expect("pong 1").await;
        peer
    })
    .await;
}

#[tokio::test]
async fn a_length_field_of_four_gigabytes_costs_nothing() {
    within(
        ORDINARY,
        |server| server,
        |mut peer| async {
            let mut huge = Frame::new(1, 1, (0, 1)).bytes();
            huge[0..4].copy_from_slice(&u32::MAX.to_le_bytes());
            peer.send(&huge).await;
            peer.expect_protocol_error().await;
            peer
        },
    )
    .await;
}

#[tokio::test]
async fn a_body_holds_at_most_twice_what_has_arrived() {
    let generous = |server: ServerBuilder| server.max_body(1 << 30);
    within(ORDINARY + 3 * 8 * MIB, generous, |mut peer| async {
        peer.send(&large_request((0, 1), 1 << 30, &[0; 1000])).await;
        for _ in 0..8 * MIB / 50_000 {
            peer.send(&request_part((0, 1), true, &[0; 50_000])).await;
        }
        peer.send(&ping(1)).await;
        peer.expect("pong 1").await;
        peer
    })
    .await;
}

#[tokio::test]
async fn pings_without_end_are_answered_once_for_who_never_reads() {
    let many = packet(&vec![ping(7); 2000]);
    within(
        ORDINARY,
        |server| server,
        |mut peer| async move {
            flood(&mut peer, &many, 1000).await;
            peer
        },
    )
    .await;
}

#[tokio::test]
async fn refusals_are_bounded_by_the_calls_that_were_granted() {
    within(
        ORDINARY,
        |server| server.max_calls(64),
        |mut peer| async move {
            for generation in 1..5000 {
                let calls: Vec<_> = (0..64).map(|slot| request((slot, generation), b"")).collect();
                if peer.try_send(&packet(&calls)).await.is_err() {
                    return peer;
                }
                tokio::task::yield_now().await;
            }
            panic!("a client that never reads is shown out");
        },
    )
    .await;
}

#[tokio::test]
async fn answers_that_nobody_takes_are_bounded_by_the_calls_that_were_granted() {
    within(
        ORDINARY + 10 * MIB,
        |server| server.max_calls(8),
        |mut peer| async move {
            for generation in 1..100 {
                let calls: Vec<_> = (0..8).map(|slot| call((slot, generation), LARGE, b"")).collect();
                if peer.try_send(&packet(&calls)).await.is_err() {
                    return peer;
                }
                tokio::task::yield_now().await;
            }
            panic!("a client that never reads is shown out");
        },
    )
    .await;
}

#[tokio::test]
async fn farewells_without_end_are_shown_out() {
    let many = packet(&vec![frame::farewell(); 4000]);
    within(
        ORDINARY,
        |server| server,
        |mut peer| async move {
            flood(&mut peer, &many, 1000).await;
            assert!(peer.try_send(&many).await.is_err());
            peer
        },
    )
    .await;
}

#[tokio::test]
async fn calls_and_cancels_without_end_hold_no_more_than_the_slots() {
    within(
        ORDINARY,
        |server| server.max_calls(16),
        |mut peer| async move {
            for generation in 1..2000 {
                let frames: Vec<_> = (0..16)
                    .flat_map(|slot| {
                        [
                            call((slot, generation), NEVER, b"x"),
                            frame::cancel((slot, generation)),
                        ]
                    })
                    .collect();
                if peer.try_send(&packet(&frames)).await.is_err() {
                    break;
                }
                tokio::task::yield_now().await;
                peer.skip_arrived();
            }
            peer
        },
    )
    .await;
}

#[tokio::test]
async fn the_last_slot_first_costs_no_more_than_its_table() {
    within(
        ORDINARY + 40 * MIB,
        |server| server.max_calls(65_536),
        |mut peer| async move {
            peer.send(&call((65_535, 1), ECHO, b"x")).await;
            peer.expect("response 65535.1").await;
            peer
        },
    )
    .await;
}

#[tokio::test]
async fn a_server_that_announces_a_large_response_costs_nothing() {
    let _turn = TURN.lock().await;
    let (channel, mut peer) = ScriptedPeer::server().await;
    let stub = Stub::new(channel, "Probe");
    COUNTING.reset_peak_memory();
    let call = tokio::spawn(async move { stub.call::<_, Bytes>(method(ECHO), Bytes::new(), None).await });
    peer.expect("request 0.1").await;
    peer.send(&large_response((0, 1), 100 << 20, &[0; 1000])).await;
    peer.send(&ping(1)).await;
    peer.expect("pong 1").await;
    let grown = COUNTING.get_peak_memory();
    assert!(grown < ORDINARY, "{grown} bytes");
    drop(peer);
    assert!(call.await.unwrap().is_err());
}

/// What one stream may hold that nobody reads: its credit, and what its list has room for.
const STREAM: usize = 2 * (256 << 10);

/// Sends the items to methods that never read them, one each in turn, for as long as their credit lasts.
async fn hoard(streams: u32, size: usize) {
    let limit = ORDINARY + streams as usize * STREAM;
    within(
        limit,
        |server| server,
        |mut peer| async move {
            for slot in 0..streams {
                peer.send(&call((slot, 1), HOARD, b"").upload()).await;
            }
            for _ in 0..(256 << 10) / (size + 64) {
                for slot in 0..streams {
                    peer.send(&item((slot, 1), &vec![7; size]).by_caller()).await;
                }
            }
            peer.send(&ping(1)).await;
            peer.expect("pong 1").await;
            peer
        },
    )
    .await;
}

#[tokio::test]
async fn empty_items_that_nobody_reads_are_bounded_by_their_credit() {
    hoard(16, 0).await;
}

#[tokio::test]
async fn items_of_4_kib_that_nobody_reads_are_bounded_by_their_credit() {
    hoard(16, 4096).await;
}

#[tokio::test]
async fn an_item_does_not_keep_the_packet_it_came_in() {
    within(
        ORDINARY + 16 * STREAM,
        |server| server,
        |mut peer| async move {
            for slot in 0..16 {
                peer.send(&call((slot, 1), HOARD, b"").upload()).await;
            }
            for _ in 0..63 {
                for slot in 0..16 {
                    let much_else = Frame::new(200, 0, (0, 0)).with_body(vec![0; 60_000]);
                    let item = item((slot, 1), &[7; 4096]).by_caller();
                    peer.send([much_else, item]).await;
                }
            }
            peer.send(&ping(1)).await;
            peer.expect("pong 1").await;
            peer
        },
    )
    .await;
}

#[tokio::test]
async fn an_item_that_never_comes_whole_holds_at_most_twice_what_has_arrived() {
    within(
        ORDINARY + 3 * 8 * MIB,
        |server| server,
        |mut peer| async {
            peer.send(&call((0, 1), HOARD, b"").upload()).await;
            peer.send(&large_item((0, 1), 100 << 20, &[0; 1000]).by_caller())
                .await;
            for _ in 0..8 * MIB / 50_000 {
                peer.send(&request_part((0, 1), true, &[0; 50_000])).await;
            }
            peer.send(&ping(1)).await;
            peer.expect("pong 1").await;
            peer
        },
    )
    .await;
}

#[tokio::test]
async fn items_of_many_streams_that_never_come_whole_are_bounded_by_the_window() {
    const PART: usize = 60_000;
    within(
        ORDINARY + 3 * 6 * MIB,
        |server| server.window(4 << 20),
        |mut peer| async {
            // Their reader would take them at once.
            let streams = 64;
            for slot in 0..streams {
                peer.send(&call((slot, 1), SWALLOW, b"").upload()).await;
            }
            let part = vec![7; PART];
            for slot in 0..streams {
                let begun = large_item((slot, 1), 2 << 20, &part).by_caller();
                flood(&mut peer, &begun.bytes(), 1).await;
                let more = request_part((slot, 1), true, &part).bytes();
                flood(&mut peer, &more, (2 << 20) / PART - 2).await;
            }
            assert!(peer.try_send(&ping(1)).await.is_err(), "it is shown out");
            peer
        },
    )
    .await;
}

#[tokio::test]
async fn items_for_who_never_reads_his_pipe_are_bounded_whatever_he_grants() {
    within(
        ORDINARY + 8 * STREAM,
        |server| server,
        |mut peer| async {
            for slot in 0..8 {
                let call = call((slot, 1), FLOOD, &[7; 1000]);
                let credit = stream_credit((slot, 1), u64::MAX - 1).by_caller();
                peer.send([call, credit.clone()]).await;
                for _ in 0..2000 {
                    tokio::task::yield_now().await;
                }
                peer.send(credit).await;
            }
            for _ in 0..20_000 {
                tokio::task::yield_now().await;
            }
            peer
        },
    )
    .await;
}

#[tokio::test]
async fn credit_for_who_never_reads_it_is_one_frame() {
    within(
        2 * MIB,
        |server| server,
        |mut peer| async {
            peer.send(&call((0, 1), SWALLOW, b"").upload().with_buffer(1))
                .await;
            // Each packet is worth several credits.
            let items = packet(&vec![item((0, 1), &[7; 200]).by_caller(); 3]);
            for _ in 0..30_000 {
                if peer.try_send(&items).await.is_err() {
                    panic!("a method that reads lets its caller send");
                }
                tokio::task::yield_now().await;
            }
            peer
        },
    )
    .await;
}

#[tokio::test]
async fn refused_calls_with_items_leave_nothing_behind() {
    within(
        MIB,
        |server| server,
        |mut peer| async {
            for generation in 1..10_000 {
                peer.send(&call((0, generation), 12345, b"").upload()).await;
                peer.expect(format!("refused 0.{generation}").as_str()).await;
            }
            peer
        },
    )
    .await;
}
