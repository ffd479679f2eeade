//! When no further attempt is made.

use std::error::Error as _;
use std::time::Duration;

use pipe_rpc::{AttemptError, ConnectionState, Outcome, ReconnectError, Reconnecting};
use tokio::time::{Instant, sleep};

use crate::place::{ShopClient, empty, policy, reconnect_error};
use crate::{SECOND, soon};

#[tokio::test(start_paused = true)]
async fn what_cannot_be_cured_ends_every_caller_at_once() {
    let place = empty();
    let client = place.client(policy());
    let callers: Vec<_> = (0..8)
        .map(|_| {
            let client = client.clone();
            tokio::spawn(async move { client.look().await })
        })
        .collect();
    sleep(SECOND).await;
    let tried = place.attempts().len();
    place.refuse_for_good();
    for caller in callers {
        let fault = soon(caller).await.unwrap().unwrap_err();
        assert_eq!(fault.outcome(), Outcome::NotSent);
        let error = reconnect_error(&fault);
        assert!(matches!(error, ReconnectError::Lasting(_)), "{error:?}");
        assert_eq!(error.source().unwrap().to_string(), "the owner is another");
    }
    let start = Instant::now();
    client.look().await.unwrap_err();
    assert_eq!(start.elapsed(), Duration::ZERO);
    sleep(100 * SECOND).await;
    assert_eq!(place.attempts().len(), tried + 1);
}

#[tokio::test(start_paused = true)]
async fn it_gives_up_after_as_many_attempts_as_the_policy_says() {
    let place = empty();
    let caller = place.caller(policy().give_up_after(3));
    let error = caller.connected().await.unwrap_err();
    assert!(
        matches!(error, ReconnectError::GivenUp { attempts: 3, .. }),
        "{error:?}"
    );
    let state = caller.states().now();
    assert!(matches!(state, ConnectionState::GivenUp(_)), "{state:?}");
    place.serve();
    let fault = soon(ShopClient::new(caller).look()).await.unwrap_err();
    assert!(fault.to_string().starts_with("the call was not sent"), "{fault}");
    assert_eq!(place.attempts().len(), 3);
}

#[tokio::test(start_paused = true)]
async fn a_connection_between_makes_the_attempts_count_anew() {
    let place = empty();
    let client = place.client(policy().give_up_after(3));
    for _ in 0..4 {
        // Each time two attempts fail: that at once, and the one after the first pause.
        let server = place.serve();
        assert_eq!(soon(client.look()).await, Ok(1));
        sleep(2 * SECOND).await;
        let before = place.attempts().len();
        place.down();
        server.kill().await;
        let mut states = client.caller().states();
        while place.attempts().len() < before + 2 {
            soon(states.changed()).await.unwrap();
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_panic_while_connecting_is_told_to_callers() {
    let connect = || async { panic!("on purpose") };
    let caller = Reconnecting::new(connect, policy());
    let error = caller.connected().await.unwrap_err();
    assert_eq!(
        error.source().unwrap().to_string(),
        "connecting panicked: on purpose"
    );
}

#[tokio::test(start_paused = true)]
async fn a_server_that_says_when_to_come_again_is_left_alone_until_then() {
    let came = std::sync::Arc::new(std::sync::Mutex::new(Vec::new()));
    let log = came.clone();
    let connect = move || {
        log.lock().unwrap().push(Instant::now());
        async { Err(AttemptError::passing("not now").with_retry_after(Some(7 * SECOND))) }
    };
    let caller = Reconnecting::new(connect, policy().give_up_after(3));
    let error = caller.connected().await.unwrap_err();
    assert!(matches!(error, ReconnectError::TimedOut { .. }), "{error:?}");
    soon(caller.states().wait_for(ConnectionState::is_final)).await;
    let came = came.lock().unwrap();
    assert_eq!([came[1] - came[0], came[2] - came[1]], [7 * SECOND; 2]);
}
