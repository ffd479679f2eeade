//! Calls dropped at the client, whatever layers are at either end.

use std::time::Duration;

use futures_util::future::join_all;
use rpc_core::testing::{Moment, drop_at, serve};
use tower::ServiceBuilder;
use tower::buffer::BufferLayer;
use tower::limit::ConcurrencyLimitLayer;
use tower::timeout::TimeoutLayer;

use super::bench::{Bench, CALLS};
use super::kinds::{KINDS, each_kind, make};
use super::subject::SubjectClient;

/// A limit that no call here comes to.
const LONG: Duration = Duration::from_secs(60);

#[tokio::test(start_paused = true)]
async fn a_call_dropped_at_the_client_leaves_nothing_behind() {
    let bench = Bench::new(serve).await;
    each_kind(async |kind| bench.drop_calls(kind, &bench.client).await).await;
}

#[tokio::test(start_paused = true)]
async fn a_call_dropped_at_the_client_of_a_layered_server_leaves_nothing_behind() {
    let bench = Bench::new(|server| {
        let server = server
            .layer(TimeoutLayer::new(LONG))
            .layer(BufferLayer::new(16))
            .connection_layer(ConcurrencyLimitLayer::new(CALLS as usize));
        serve(server.max_running(CALLS as usize))
    })
    .await;
    each_kind(async |kind| bench.drop_calls(kind, &bench.client).await).await;
}

#[tokio::test(start_paused = true)]
async fn a_call_dropped_in_a_layer_of_the_client_leaves_nothing_behind() {
    let bench = Bench::new(serve).await;
    let stack = || {
        ServiceBuilder::new()
            .timeout(LONG)
            .buffer(16)
            .concurrency_limit(2)
            .service(bench.channel.clone())
    };
    each_kind(async |kind| bench.drop_calls(kind, &SubjectClient::new(stack())).await).await;
}

#[tokio::test(start_paused = true)]
async fn a_call_with_a_deadline_dropped_at_the_client_leaves_nothing_behind() {
    let bench = Bench::new(serve).await;
    let client = bench.client.clone().with_timeout(LONG);
    each_kind(async |kind| bench.drop_calls(kind, &client).await).await;
}

#[tokio::test(start_paused = true)]
async fn calls_dropped_side_by_side_leave_nothing_behind() {
    let bench = Bench::new(serve).await;
    for (one, other) in KINDS.iter().flat_map(|one| KINDS.map(|other| (*one, other))) {
        for polls in [1, 2, 3, 5, 8] {
            let call = |kind| make(kind, bench.client.clone());
            let both = [
                drop_at(Moment::After(polls), call(one)),
                drop_at(Moment::Woken(polls / 2), call(other)),
            ];
            join_all(both).await;
        }
        bench.assert_idle().await;
    }
    bench.assert_well().await;
}
