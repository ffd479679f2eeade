//! How long callers wait, and what is left when they go.

use std::error::Error as _;
use std::io;
use std::pin::pin;
use std::task::Poll;
use std::time::Duration;

use pipe_rpc::{Outcome, Reason, ReconnectError};
use tokio::time::{Instant, sleep};

use crate::place::{empty, policy, reconnect_error};
use crate::{SECOND, soon};

#[tokio::test(start_paused = true)]
async fn a_call_waits_for_a_server_that_comes() {
    let place = empty();
    let client = place.client(policy());
    let call = tokio::spawn(async move { client.buy().await });
    sleep(3 * SECOND).await;
    let server = place.serve();
    assert_eq!(soon(call).await.unwrap(), Ok(3));
    assert_eq!(server.gauge.begun(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_call_waits_no_longer_than_the_policy_says_and_names_the_obstacle() {
    let client = empty().client(policy().max_wait(3 * SECOND));
    for _ in 0..2 {
        let start = Instant::now();
        let fault = soon(client.look()).await.unwrap_err();
        assert_eq!(start.elapsed(), 3 * SECOND);
        assert_eq!(
            (fault.outcome(), fault.reason()),
            (Outcome::NotSent, Reason::ConnectionLost)
        );
        let error = reconnect_error(&fault);
        assert!(matches!(error, ReconnectError::TimedOut { after, .. } if *after == 3 * SECOND));
        let cause: &io::Error = error.source().unwrap().downcast_ref().unwrap();
        assert_eq!(cause.kind(), io::ErrorKind::NotFound);
    }
}

#[tokio::test(start_paused = true)]
async fn the_calls_own_deadline_holds_while_it_waits() {
    let client = empty().client(policy()).with_timeout(2 * SECOND);
    let start = Instant::now();
    let fault = soon(client.look()).await.unwrap_err();
    assert_eq!(start.elapsed(), 2 * SECOND);
    assert_eq!(
        (fault.outcome(), fault.reason()),
        (Outcome::NotSent, Reason::DeadlineExceeded)
    );
}

#[tokio::test(start_paused = true)]
async fn a_wait_of_zero_fails_at_once_and_connects_meanwhile() {
    let place = empty();
    let server = place.serve();
    let client = place.client(policy().max_wait(Duration::ZERO));
    let fault = soon(client.look()).await.unwrap_err();
    assert_eq!(fault.outcome(), Outcome::NotSent);
    let mut states = client.caller().states();
    soon(states.wait_for(|state| state.is_connected())).await;
    assert_eq!(soon(client.look()).await, Ok(1));
    assert_eq!(server.gauge.begun(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_call_dropped_while_it_waits_leaves_nothing_behind() {
    let place = empty();
    let client = place.client(policy());
    {
        let mut call = pin!(client.buy());
        tokio::select! {
            biased;
            _ = &mut call => panic!("nobody serves"),
            () = sleep(SECOND) => {}
        }
    }
    let server = place.serve();
    assert_eq!(soon(client.look()).await, Ok(1));
    assert_eq!(server.gauge.begun(), 1);
}

#[tokio::test(start_paused = true)]
async fn callers_in_line_go_on_to_the_next_connection() {
    let place = empty();
    let server = place.serve_with(|server| server.max_calls(1));
    let client = place.client(policy());
    let spawn = |client: &super::place::ShopClient<_>| {
        let client = client.clone();
        tokio::spawn(async move { client.buy_long().await })
    };
    let running = spawn(&client);
    server.gauge.until_running(1).await;
    let in_line: Vec<_> = (0..10).map(|_| spawn(&client)).collect();
    tokio::task::yield_now().await;
    server.kill().await;
    let server = place.serve();
    server.gauge.release();
    let fault = soon(running).await.unwrap().unwrap_err();
    assert_eq!(fault.outcome(), Outcome::MayHaveRun);
    for call in in_line {
        assert_eq!(soon(call).await.unwrap(), Ok(4));
    }
    assert_eq!(server.gauge.begun(), 10);
}

#[test]
fn without_a_runtime_a_call_says_so() {
    let client = empty().client(policy());
    let mut call = pin!(client.look());
    let polled = call
        .as_mut()
        .poll(&mut std::task::Context::from_waker(std::task::Waker::noop()));
    let Poll::Ready(Err(fault)) = polled else {
        panic!("{polled:?}");
    };
    assert_eq!(
        (fault.outcome(), fault.reason()),
        (Outcome::NotSent, Reason::NoRuntime)
    );
}

#[test]
fn a_runtime_shut_down_is_told_to_callers_in_another() {
    let place = empty();
    let client = place.client(policy());
    let first = tokio::runtime::Runtime::new().unwrap();
    let _server = first.block_on(async {
        let server = place.serve();
        client.look().await.unwrap();
        server
    });
    drop(first);
    let second = tokio::runtime::Runtime::new().unwrap();
    let fault = second.block_on(soon(client.look())).unwrap_err();
    assert_eq!(fault.outcome(), Outcome::NotSent);
    assert!(matches!(reconnect_error(&fault), ReconnectError::RuntimeGone));
}
