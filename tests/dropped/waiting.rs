//! Calls dropped while they wait: for a slow link, the pipe, credit, or the window.

use std::time::Duration;

use bytes::Bytes;
use futures_util::future::join_all;
use rpc_core::testing::{Faults, assert_whole, drop_at_every_poll, serve};
use tokio::task::yield_now;

use super::bench::{Bench, CALLS, faulty_bench};
use super::kinds::{Kind, LARGE, each_kind, kinds_alone, make};
use super::support::Gauge;

#[tokio::test(start_paused = true)]
async fn a_call_dropped_over_a_slow_link_leaves_nothing_behind() {
    let slow = |millis| Faults::new().delay(Duration::from_millis(millis));
    let (bench, _) = faulty_bench(slow(2), slow(3)).await;
    for kind in kinds_alone() {
        bench.drop_calls(kind, &bench.client).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_call_dropped_before_the_pipe_took_anything_of_it_leaves_nothing_behind() {
    let (bench, to_server) = faulty_bench(Faults::new(), Faults::new()).await;
    for kind in kinds_alone() {
        drop_at_every_poll(async || {
            to_server.stall();
            // The packet that waits for the pipe is this one's, so the other call is in none yet.
            let client = bench.client.clone();
            let first = tokio::spawn(async move { client.small("first".into()).await });
            yield_now().await;
            let resume = async {
                for _ in 0..3 {
                    yield_now().await;
                }
                to_server.resume();
            };
            let call = async { assert!(make(kind, bench.client.clone()).await) };
            let check = async {
                to_server.resume();
                assert_eq!(first.await.unwrap().unwrap(), "first");
                bench.assert_well().await;
            };
            (async { tokio::join!(call, resume) }, check)
        })
        .await;
    }
}

/// Lets calls that are held end, after so many turns of whoever else runs.
async fn release_later(gauge: Gauge) {
    for _ in 0..5 {
        yield_now().await;
    }
    gauge.release();
}

#[tokio::test(start_paused = true)]
async fn a_call_dropped_while_it_waits_for_credit_leaves_nothing_behind() {
    let bench = Bench::new(serve).await;
    each_kind(async |kind| {
        drop_at_every_poll(async || {
            bench.gauge.hold_again();
            let holding: Vec<_> = (0..CALLS)
                .map(|_| {
                    let client = bench.client.clone();
                    tokio::spawn(async move { client.hold(Bytes::new()).await })
                })
                .collect();
            bench.gauge.until_running(CALLS as usize).await;
            tokio::spawn(release_later(bench.gauge.clone()));
            let check = async {
                for held in join_all(holding).await {
                    assert_eq!(held.unwrap(), Ok(0));
                }
                bench.assert_well().await;
            };
            (async { assert!(make(kind, bench.client.clone()).await) }, check)
        })
        .await;
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_body_dropped_while_it_waits_for_the_window_leaves_nothing_behind() {
    let bench = Bench::new(|server| serve(server.max_running(1))).await;
    for kind in [Kind::LargeRequest, Kind::LargeOneway] {
        drop_at_every_poll(async || {
            bench.gauge.hold_again();
            let client = bench.client.clone();
            let running = tokio::spawn(async move { client.hold(Bytes::new()).await });
            bench.gauge.until_running(1).await;
            // Charged, and not begun: it waits behind the one that runs.
            let client = bench.client.clone();
            let charged = tokio::spawn(async move { client.take(vec![7; LARGE].into()).await });
            yield_now().await;
            tokio::spawn(release_later(bench.gauge.clone()));
            let check = async {
                assert_eq!(running.await.unwrap(), Ok(0));
                assert_eq!(charged.await.unwrap(), Ok(LARGE as u64));
                bench.gauge.until_running(0).await;
                assert_whole(&bench.channel).await;
            };
            (async { assert!(make(kind, bench.client.clone()).await) }, check)
        })
        .await;
    }
}
