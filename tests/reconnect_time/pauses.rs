//! When attempts are made.

use std::time::Duration;

use pipe_rpc::ReconnectPolicy;
use tokio::time::{Instant, sleep};

use crate::place::{Place, empty, policy};
use crate::{MS, SECOND, soon};

/// How long after one another attempts were begun.
fn between(attempts: &[Instant]) -> Vec<Duration> {
    attempts.windows(2).map(|pair| pair[1] - pair[0]).collect()
}

async fn tried_for(place: &Place, policy: ReconnectPolicy, time: Duration) -> Vec<Duration> {
    let caller = place.caller(policy.max_wait(time));
    caller.connected().await.unwrap_err();
    between(&place.attempts())
}

#[tokio::test(start_paused = true)]
async fn attempts_come_at_growing_pauses() {
    let policy = policy().first_pause(10 * MS).factor(3.0).max_pause(100 * MS);
    let pauses = tried_for(&empty(), policy, 400 * MS).await;
    assert_eq!(pauses, [10 * MS, 30 * MS, 90 * MS, 100 * MS, 100 * MS]);
}

#[tokio::test(start_paused = true)]
async fn jitter_keeps_within_its_range_and_differs() {
    let policy = ReconnectPolicy::default()
        .first_pause(100 * MS)
        .max_pause(100 * MS);
    let (one, other) = (empty(), empty());
    let one = tried_for(&one, policy.clone(), 10 * SECOND).await;
    let other = tried_for(&other, policy, 10 * SECOND).await;
    // The timer has a resolution of 1 ms.
    let is_within = |pause: &Duration| *pause >= 100 * MS && *pause <= 202 * MS;
    assert!(one.iter().chain(&other).all(is_within), "{one:?} {other:?}");
    assert_ne!(one, other);
}

#[tokio::test(start_paused = true)]
async fn a_lost_connection_is_made_anew_at_once() {
    let place = empty();
    let server = place.serve();
    let client = place.client(policy());
    client.look().await.unwrap();
    sleep(10 * SECOND).await;
    let _next = place.serve();
    server.kill().await;
    let lost = Instant::now();
    soon(client.look()).await.unwrap();
    assert_eq!(lost.elapsed(), Duration::ZERO);
    assert_eq!(place.attempts().len(), 2);
}

#[tokio::test(start_paused = true)]
async fn pauses_begin_anew_after_a_connection_that_lasted() {
    let place = empty();
    let policy = policy().first_pause(10 * MS).max_pause(SECOND);
    let client = place.client(policy);
    sleep(5 * SECOND).await;
    let waiting = tokio::spawn({
        let client = client.clone();
        async move { client.look().await }
    });
    // The pauses have grown by now.
    sleep(9 * SECOND).await;
    let server = place.serve();
    soon(waiting).await.unwrap().unwrap();
    sleep(2 * SECOND).await;
    let before = place.attempts().len();
    server.kill().await;
    let lost = Instant::now();
    let mut states = client.caller().states();
    place.down();
    while place.attempts().len() < before + 3 {
        soon(states.changed()).await.unwrap();
    }
    assert_eq!(lost.elapsed(), 30 * MS);
}

#[tokio::test(start_paused = true)]
async fn a_server_that_dies_as_soon_as_it_is_up_is_not_hammered() {
    let place = empty();
    let caller = place.caller(policy().first_pause(10 * MS).max_pause(SECOND));
    let mut states = caller.states();
    let started = Instant::now();
    let killer = tokio::spawn({
        let (place, caller) = (place.clone(), caller.clone());
        async move {
            loop {
                let server = place.serve();
                let mut states = caller.states();
                states.wait_for(|state| state.is_connected()).await;
                server.kill().await;
                states.wait_for(|state| !state.is_connected()).await;
            }
        }
    });
    // It may be lost before this sees it.
    let _ = caller.connected().await;
    while started.elapsed() < 60 * SECOND {
        soon(states.changed()).await.unwrap();
    }
    killer.abort();
    let attempts = place.attempts().len();
    assert!((55..75).contains(&attempts), "{attempts} in a minute");
}

#[tokio::test(start_paused = true)]
async fn callers_share_one_attempt() {
    let place = empty();
    place.takes(SECOND);
    let server = place.serve();
    let client = place.client(policy());
    let callers: Vec<_> = (0..64)
        .map(|_| {
            let client = client.clone();
            tokio::spawn(async move { client.look().await })
        })
        .collect();
    for caller in callers {
        soon(caller).await.unwrap().unwrap();
    }
    assert_eq!(place.attempts().len(), 1);
    assert_eq!(server.gauge.begun(), 64);
}
