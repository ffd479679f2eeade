//! Servers that are overloaded: when a call is made again.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::time::Duration;

use pipe_rpc::{Fault, Outcome, Reason, ReconnectPolicy, Reconnecting, RetryLayer, Server};
use tokio::time::Instant;
use tower::Layer as _;

use crate::place::{Place, Serving, ShopClient, empty};
use crate::{SECOND, soon};

/// Serves, but refuses as many calls first; with a time, says when to come again.
fn serve_refusing(
    place: &Place,
    refusals: usize,
    retry_after: Option<Duration>,
) -> (Serving, Arc<AtomicUsize>) {
    let came = Arc::<AtomicUsize>::default();
    let counted = Arc::clone(&came);
    let server = place.serve_through(Server::builder(), move |request| {
        if counted.fetch_add(1, SeqCst) < refusals {
            return Err(Fault::new(Outcome::Refused, Reason::Overloaded { retry_after }));
        }
        Ok(request)
    });
    (server, came)
}

#[tokio::test(start_paused = true)]
async fn a_call_comes_again_when_the_server_said_so() {
    let place = empty();
    let (server, came) = serve_refusing(&place, 2, Some(SECOND));
    let client = place.client(ReconnectPolicy::default());
    let start = Instant::now();
    assert_eq!(soon(client.buy()).await, Ok(3));
    let took = start.elapsed();
    assert!(took >= 2 * SECOND && took <= 4 * SECOND + SECOND / 10, "{took:?}");
    assert_eq!((came.load(SeqCst), server.gauge.begun()), (3, 1));
}

#[tokio::test(start_paused = true)]
async fn the_layer_works_without_reconnecting() {
    let place = empty();
    let (_server, came) = serve_refusing(&place, 2, Some(SECOND));
    let channel = place.connect().await.unwrap();
    let client = ShopClient::new(RetryLayer::new().layer(channel));
    assert_eq!(soon(client.buy()).await, Ok(3));
    assert_eq!(came.load(SeqCst), 3);
}

/// Calls once, and checks that the refusal was told at once.
async fn is_told_at_once(client: ShopClient<Reconnecting>, came: &AtomicUsize) {
    client.look().await.unwrap_err();
    let (before, start) = (came.load(SeqCst), Instant::now());
    let fault = soon(client.look()).await.unwrap_err();
    assert_eq!(fault.outcome(), Outcome::Refused);
    assert!(matches!(fault.reason(), Reason::Overloaded { .. }));
    assert_eq!(start.elapsed(), Duration::ZERO);
    assert_eq!(came.load(SeqCst), before + 1);
}

#[tokio::test(start_paused = true)]
async fn a_server_that_does_not_say_when_is_not_asked_again() {
    let place = empty();
    let (_server, came) = serve_refusing(&place, usize::MAX, None);
    is_told_at_once(place.client(ReconnectPolicy::default()), &came).await;
}

#[tokio::test(start_paused = true)]
async fn a_time_beyond_the_deadline_is_not_waited_for() {
    let place = empty();
    let (_server, came) = serve_refusing(&place, usize::MAX, Some(3 * SECOND));
    let client = place.client(ReconnectPolicy::default());
    is_told_at_once(client.with_timeout(2 * SECOND), &came).await;
}

#[tokio::test(start_paused = true)]
async fn a_call_waits_no_longer_in_all_than_the_policy_says() {
    let place = empty();
    let (_server, came) = serve_refusing(&place, usize::MAX, Some(SECOND));
    let client = place.client(ReconnectPolicy::default().max_wait(5 * SECOND));
    let start = Instant::now();
    let fault = soon(client.look()).await.unwrap_err();
    assert_eq!(fault.outcome(), Outcome::Refused);
    assert!(
        start.elapsed() <= 5 * SECOND + SECOND / 10,
        "{:?}",
        start.elapsed()
    );
    let came = came.load(SeqCst);
    assert!((3..=6).contains(&came), "{came}");
}
