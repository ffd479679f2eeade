//! What is seen by whoever watches, up to the end.

use std::time::Duration;

use futures_util::StreamExt as _;
use pipe_rpc::{ConnectionState, Outcome, ReconnectError};
use tokio::time::{Instant, sleep};

use crate::place::{empty, policy, reconnect_error};
use crate::{MS, SECOND, soon};

/// A state without what varies.
fn name(state: &ConnectionState) -> &'static str {
    match state {
        ConnectionState::Idle => "idle",
        ConnectionState::Connecting { attempt: 1 } => "connecting",
        ConnectionState::Connecting { .. } => "connecting again",
        ConnectionState::Connected => "connected",
        ConnectionState::Waiting { .. } => "waiting",
        ConnectionState::GivenUp(_) => "given up",
        ConnectionState::Closed => "closed",
        _ => "new",
    }
}

#[tokio::test(start_paused = true)]
async fn every_state_is_seen_and_the_last_ends_the_stream() {
    let place = empty();
    place.takes(MS);
    let client = place.client(policy().first_pause(10 * MS));
    let seen = client.caller().states().into_stream();
    let seen = tokio::spawn(seen.map(|state| name(&state)).collect::<Vec<_>>());
    sleep(MS).await;
    let call = tokio::spawn({
        let client = client.clone();
        async move { client.look().await }
    });
    sleep(5 * MS).await;
    let server = place.serve();
    soon(call).await.unwrap().unwrap();
    sleep(2 * SECOND).await;
    place.down();
    server.kill().await;
    sleep(5 * MS).await;
    drop(client);
    let expected = [
        "idle",
        "connecting",
        "waiting",
        "connecting again",
        "connected",
        "connecting",
        "waiting",
        "closed",
    ];
    assert_eq!(soon(seen).await.unwrap(), expected);
}

#[tokio::test(start_paused = true)]
async fn waiting_says_until_when_and_why() {
    let caller = empty().caller(policy().first_pause(10 * MS));
    let mut states = caller.states();
    assert_eq!(name(&states.now()), "idle");
    let start = Instant::now();
    let connecting = tokio::spawn(async move { caller.connected().await });
    let state = soon(states.wait_for(|state| name(state) == "waiting")).await;
    let ConnectionState::Waiting { until, error } = state else {
        panic!("{state:?}");
    };
    assert_eq!(until, start + 10 * MS);
    assert_eq!(error.to_string(), "entity not found");
    connecting.abort();
}

#[tokio::test(start_paused = true)]
async fn the_last_state_is_seen_also_after_the_client_is_gone() {
    let caller = empty().caller(policy());
    let (mut states, mut late) = (caller.states(), caller.states());
    drop(caller);
    assert_eq!(soon(states.changed()).await.as_ref().map(name), Some("closed"));
    assert!(soon(states.changed()).await.is_none());
    assert_eq!(name(&late.now()), "closed");
    assert!(soon(late.changed()).await.is_none());
}

/// How many tasks the runtime has once those that end have ended.
async fn tasks() -> usize {
    sleep(2 * SECOND).await;
    tokio::runtime::Handle::current().metrics().num_alive_tasks()
}

#[tokio::test(start_paused = true)]
async fn a_client_dropped_while_it_waits_connects_or_is_connected_leaves_nothing_behind() {
    let place = empty();
    let before = tasks().await;
    let waits = place.client(policy().max_pause(SECOND).max_wait(MS));
    waits.look().await.unwrap_err();
    drop(waits);
    assert_eq!(tasks().await, before);

    place.takes(1000 * SECOND);
    let connects = place.client(policy().max_wait(MS));
    connects.look().await.unwrap_err();
    place.until_trying(1).await;
    drop(connects);
    place.until_trying(0).await;
    assert_eq!(tasks().await, before);

    place.takes(Duration::ZERO);
    let server = place.serve();
    let client = place.client(policy());
    let clone = client.clone();
    client.look().await.unwrap();
    drop(client);
    clone.look().await.unwrap();
    drop(clone);
    // Its farewell lets the server's connection end, too.
    assert_eq!(tasks().await, before + 1);
    server.drain().await;
    assert_eq!(tasks().await, before);
}

#[tokio::test(start_paused = true)]
async fn a_call_that_is_open_keeps_its_connection_until_it_ends() {
    let place = empty();
    let server = place.serve();
    let client = place.client(policy());
    let call = tokio::spawn(async move { client.buy_long().await });
    server.gauge.until_running(1).await;
    sleep(10 * SECOND).await;
    server.gauge.release();
    assert_eq!(soon(call).await.unwrap(), Ok(4));
}

#[tokio::test(start_paused = true)]
async fn a_client_closed_ends_its_calls_and_makes_no_other() {
    let place = empty();
    let server = place.serve();
    let client = place.client(policy());
    let calls = [
        tokio::spawn({
            let client = client.clone();
            async move { client.buy_long().await }
        }),
        tokio::spawn({
            let client = client.clone();
            async move { client.look_long().await }
        }),
    ];
    server.gauge.until_running(2).await;
    client.caller().close();
    client.caller().close();
    for call in calls {
        let fault = soon(call).await.unwrap().unwrap_err();
        assert_eq!(fault.outcome(), Outcome::MayHaveRun);
    }
    let fault = soon(client.look()).await.unwrap_err();
    assert_eq!(fault.outcome(), Outcome::NotSent);
    assert!(matches!(reconnect_error(&fault), ReconnectError::Closed));
    assert_eq!(server.gauge.begun(), 2);
    assert_eq!(place.attempts().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_client_that_shuts_down_ends_its_calls_and_makes_no_other() {
    let place = empty();
    let server = place.serve();
    let client = place.client(policy());
    let call = tokio::spawn({
        let client = client.clone();
        async move { client.buy_long().await }
    });
    server.gauge.until_running(1).await;
    let shutdown = tokio::spawn({
        let client = client.clone();
        async move { client.caller().shutdown(10 * SECOND).await }
    });
    sleep(5 * SECOND).await;
    let fault = soon(client.look()).await.unwrap_err();
    assert_eq!(fault.outcome(), Outcome::NotSent);
    assert!(matches!(reconnect_error(&fault), ReconnectError::Closed));
    server.gauge.release();
    assert!(soon(call).await.unwrap().is_ok());
    soon(shutdown).await.unwrap().unwrap();
    soon(client.caller().shutdown(10 * SECOND)).await.unwrap();
    assert_eq!(place.attempts().len(), 1);
}
