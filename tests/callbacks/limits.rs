//! Nested calls have credit of their own, never wait, and have an end.

use pipe_rpc::{CallError, ServerBuilder};
use tokio::task::JoinHandle;
use tower::limit::ConcurrencyLimitLayer;
use tower::load_shed::LoadShedLayer;

use crate::ends::{End, RelayClient, connect, host, host_with, plugin_with};
use crate::support::soon;

/// How many calls each end lets the other one have open in these tests.
const FEW: u32 = 8;

type Bounced = JoinHandle<Result<u8, CallError<String>>>;

fn bounce_slowly(client: &RelayClient, callers: u32) -> Vec<Bounced> {
    let call = |client: RelayClient| async move { client.bounce_slowly(3).await };
    (0..callers).map(|_| tokio::spawn(call(client.clone()))).collect()
}

/// Twice as many callers at each end as the other one takes calls; all have begun before any goes on, each is then called
/// back, calls in again, and is called back once more.
async fn callers_at_both_ends(test: &str, running: usize, limits: impl Fn(ServerBuilder) -> ServerBuilder) {
    let host = host_with(test, &limits);
    let (client, plugin) = plugin_with(&host.name, &limits).await;
    client.keep().await.unwrap();
    let back = RelayClient::new(host.end.relay.kept());
    let mut calls = bounce_slowly(&client, 2 * FEW);
    calls.append(&mut bounce_slowly(&back, 2 * FEW));
    let gauges = [&host.end.relay.gauge, &plugin.relay.gauge];
    for gauge in gauges {
        gauge.until_running(running).await;
    }
    for gauge in gauges {
        gauge.release();
    }
    for call in calls {
        assert_eq!(soon(call).await.unwrap(), Ok(3));
    }
    for gauge in gauges {
        assert_eq!(gauge.begun(), 4 * 2 * FEW as usize);
    }
}

#[tokio::test]
async fn as_many_callers_as_the_limit_at_both_ends_call_back_and_in_again() {
    callers_at_both_ends("callbacks-many", FEW as usize, |limits| limits.max_calls(FEW)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn as_many_callers_as_the_limit_call_back_and_in_again_on_several_threads() {
    callers_at_both_ends("callbacks-threads", FEW as usize, |limits| limits.max_calls(FEW)).await;
}

#[tokio::test]
async fn handlers_that_wait_for_their_turn_do_not_keep_nested_calls_waiting() {
    let one = |limits: ServerBuilder| limits.max_calls(FEW).max_running(1);
    callers_at_both_ends("callbacks-running", 1, one).await;
}

#[tokio::test]
async fn the_limit_of_depth_is_reached_refused_beyond_and_no_credit_is_lost() {
    // 32 nested calls in turn are 16 each way.
    let host = host_with("callbacks-depth", |server| server.max_nested(16));
    let (client, _plugin) = plugin_with(&host.name, |services| services.max_nested(16)).await;
    for _ in 0..5 {
        assert_eq!(soon(client.bounce(32)).await, Ok(32));
        let error = soon(client.bounce(33)).await.unwrap_err().to_string();
        assert!(error.contains("nested too deeply: the limit is 32"), "{error}");
    }
}

#[tokio::test]
async fn a_nested_call_without_credit_fails_at_once_and_says_whose_limit_it_is() {
    let host = host("callbacks-credit");
    let (client, plugin) = plugin_with(&host.name, |services| services.max_nested(1)).await;
    let held = tokio::spawn({
        let client = client.clone();
        async move { client.hold_at_caller().await }
    });
    plugin.lab.until_running(1).await;
    let error = soon(client.hold_at_caller()).await.unwrap_err().to_string();
    assert!(
        error.contains("all 1 nested calls that the other end grants"),
        "{error}"
    );
    plugin.lab.release();
    assert_eq!(soon(held).await.unwrap(), Ok(42));
    assert_eq!(soon(client.hold_at_caller()).await, Ok(42));
}

#[tokio::test]
async fn an_end_that_grants_no_nested_calls_is_told_apart() {
    let host = host("callbacks-no-credit");
    let (client, _plugin) = plugin_with(&host.name, |services| services.max_nested(0)).await;
    let error = soon(client.bounce(1)).await.unwrap_err().to_string();
    assert!(error.contains("with a max_nested above 0"), "{error}");
    client.keep().await.unwrap();
    assert_eq!(
        soon(RelayClient::new(host.end.relay.kept()).bounce(0)).await,
        Ok(0)
    );
}

#[tokio::test]
async fn layers_are_around_what_a_client_serves() {
    let host = host("callbacks-layers");
    let plugin = End::default();
    let offers = plugin.services();
    let offers = offers
        .layer(LoadShedLayer::new())
        .layer(ConcurrencyLimitLayer::new(1));
    let client = RelayClient::connect(connect(&host.name).serving(offers))
        .await
        .unwrap();
    let held = tokio::spawn({
        let client = client.clone();
        async move { client.hold_at_caller().await }
    });
    plugin.lab.until_running(1).await;
    let error = soon(client.hold_at_caller()).await.unwrap_err().to_string();
    assert!(error.contains("overloaded"), "{error}");
    plugin.lab.release();
    assert_eq!(soon(held).await.unwrap(), Ok(42));
}
