//! What becomes of the calls that are open when their connection is lost.

use std::sync::{Arc, Mutex};

use futures_util::stream;
use pipe_rpc::{Fault, Outcome, Reason, Server};
use tokio::time::{Instant, sleep};

use crate::place::{Place, Serving, empty, policy};
use crate::{SECOND, soon};

fn told(fault: &Fault) -> (Outcome, Reason) {
    (fault.outcome(), fault.reason())
}

#[tokio::test(start_paused = true)]
async fn an_idempotent_call_is_made_again() {
    let place = empty();
    let server = place.serve();
    let client = place.client(policy());
    let call = tokio::spawn(async move { client.look_long().await });
    server.gauge.until_running(1).await;
    server.kill().await;
    place.down();
    sleep(3 * SECOND).await;
    let server = place.serve();
    server.gauge.release();
    assert_eq!(soon(call).await.unwrap(), Ok(2));
    assert_eq!(server.gauge.begun(), 1);
}

#[tokio::test(start_paused = true)]
async fn any_other_call_is_told_that_it_may_have_run_and_is_not_made_again() {
    let place = empty();
    let server = place.serve();
    let client = place.client(policy());
    let call = tokio::spawn({
        let client = client.clone();
        async move { client.buy_long().await }
    });
    server.gauge.until_running(1).await;
    server.kill().await;
    let server = place.serve();
    let fault = soon(call).await.unwrap().unwrap_err();
    assert_eq!(told(&fault), (Outcome::MayHaveRun, Reason::ConnectionLost));
    client.look().await.unwrap();
    assert_eq!(server.gauge.begun(), 1);
}

/// Kills whoever serves as soon as it runs a call, as often as that comes; how many it ran.
async fn kill_whoever_runs_a_call(place: Place, mut server: Serving, ran: Arc<Mutex<usize>>) {
    loop {
        server.gauge.until_running(1).await;
        *ran.lock().unwrap() += server.gauge.begun();
        server.kill().await;
        server = place.serve();
    }
}

#[tokio::test(start_paused = true)]
async fn a_call_that_kills_its_server_is_made_only_so_often() {
    let place = empty();
    let ran = Arc::<Mutex<usize>>::default();
    let server = place.serve();
    tokio::spawn(kill_whoever_runs_a_call(place.clone(), server, Arc::clone(&ran)));
    for attempts in [1, 3, 4] {
        let client = place.client(policy().max_attempts(attempts));
        let fault = soon(client.look_long()).await.unwrap_err();
        assert_eq!(told(&fault), (Outcome::MayHaveRun, Reason::ConnectionLost));
        assert_eq!(std::mem::take(&mut *ran.lock().unwrap()), usize::from(attempts));
    }
}

#[tokio::test(start_paused = true)]
async fn a_call_that_may_have_run_is_never_told_as_not_sent() {
    let place = empty();
    let server = place.serve();
    let client = place.client(policy().max_wait(5 * SECOND));
    let start = |client: &crate::place::ShopClient<_>| {
        let client = client.clone();
        tokio::spawn(async move { client.look_long().await })
    };
    let (patient, hasty) = (start(&client), start(&client.clone().with_timeout(2 * SECOND)));
    server.gauge.until_running(2).await;
    place.down();
    server.kill().await;
    let lost = Instant::now();
    // The second attempts were not sent: of the one there was no connection, of the other its deadline passed.
    let fault = soon(hasty).await.unwrap().unwrap_err();
    assert_eq!(told(&fault), (Outcome::MayHaveRun, Reason::DeadlineExceeded));
    assert_eq!(lost.elapsed(), 2 * SECOND);
    let fault = soon(patient).await.unwrap().unwrap_err();
    assert_eq!(told(&fault), (Outcome::MayHaveRun, Reason::ConnectionLost));
    assert_eq!(lost.elapsed(), 5 * SECOND);
}

#[tokio::test(start_paused = true)]
async fn the_deadline_holds_for_all_attempts_together() {
    let place = empty();
    let server = place.serve();
    let client = place.client(policy()).with_timeout(10 * SECOND);
    let start = Instant::now();
    let call = tokio::spawn(async move { client.look_long().await });
    server.gauge.until_running(1).await;
    sleep(6 * SECOND).await;
    server.kill().await;
    let server = place.serve();
    server.gauge.until_running(1).await;
    let fault = soon(call).await.unwrap().unwrap_err();
    assert_eq!(told(&fault), (Outcome::MayHaveRun, Reason::DeadlineExceeded));
    assert_eq!(start.elapsed(), 10 * SECOND);
    server.gauge.until_running(0).await;
}

#[tokio::test(start_paused = true)]
async fn each_attempt_carries_its_number() {
    let place = empty();
    let seen = Arc::<Mutex<Vec<u8>>>::default();
    let serve = || {
        let seen = Arc::clone(&seen);
        place.serve_through(Server::builder(), move |request| {
            seen.lock().unwrap().push(request.attempt());
            Ok(request)
        })
    };
    let mut server = serve();
    let client = place.client(policy());
    let call = tokio::spawn(async move { client.look_long().await });
    for _ in 0..2 {
        server.gauge.until_running(1).await;
        server.kill().await;
        server = serve();
    }
    server.gauge.release();
    soon(call).await.unwrap().unwrap();
    assert_eq!(*seen.lock().unwrap(), [0, 1, 2]);
}

#[tokio::test(start_paused = true)]
async fn a_server_that_drains_is_left_for_the_next_and_loses_no_call() {
    let place = empty();
    let old = place.serve();
    let client = place.client(policy());
    let start = |client: &crate::place::ShopClient<_>| {
        let client = client.clone();
        tokio::spawn(async move { client.buy_long().await })
    };
    let running: Vec<_> = (0..8).map(|_| start(&client)).collect();
    old.gauge.until_running(8).await;
    let (old_gauge, new) = (old.gauge.clone(), place.serve());
    let draining = tokio::spawn(old.drain());
    new.gauge.release();
    // New calls go to the new server while the old ones go on at the old one.
    let later: Vec<_> = (0..8).map(|_| start(&client)).collect();
    for call in later {
        assert_eq!(soon(call).await.unwrap(), Ok(4));
    }
    assert_eq!(old_gauge.running(), 8);
    old_gauge.release();
    for call in running {
        assert_eq!(soon(call).await.unwrap(), Ok(4));
    }
    soon(draining).await.unwrap();
    assert_eq!((old_gauge.begun(), new.gauge.begun()), (8, 8));
}

#[tokio::test(start_paused = true)]
async fn an_attempt_dropped_is_cancelled_and_no_other_is_made() {
    let place = empty();
    let server = place.serve();
    let client = place.client(policy());
    let call = tokio::spawn({
        let client = client.clone();
        async move { client.look_long().await }
    });
    server.gauge.until_running(1).await;
    server.kill().await;
    let server = place.serve();
    server.gauge.until_running(1).await;
    call.abort();
    server.gauge.until_running(0).await;
    client.look().await.unwrap();
    assert_eq!(server.gauge.begun(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_call_with_a_stream_waits_for_its_server_and_is_made_once() {
    let place = empty();
    let client = place.client(policy());
    let start = || {
        let client = client.clone();
        tokio::spawn(async move { client.count(stream::iter(0..100)).await })
    };
    let waiting = start();
    sleep(SECOND).await;
    let server = place.serve();
    server.gauge.release();
    assert_eq!(soon(waiting).await.unwrap(), Ok(100));
    server.gauge.hold_again();
    let begun = start();
    server.gauge.until_running(1).await;
    server.kill().await;
    let next = place.serve();
    let fault = soon(begun).await.unwrap().unwrap_err();
    assert_eq!(told(&fault), (Outcome::MayHaveRun, Reason::ConnectionLost));
    client.look().await.unwrap();
    assert_eq!(next.gauge.begun(), 1);
}
