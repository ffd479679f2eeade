//! How an end leaves, frame by frame and in simulated time.

mod support;

use std::time::Duration;

use bytes::Bytes;
use pipe_rpc_core::client::{Channel, Stub};
use pipe_rpc_core::connection::{Config, ConnectionError};
use pipe_rpc_core::fault::{Fault, Outcome, Reason};
use pipe_rpc_core::server::Server;
use pipe_rpc_core::testing::frame::{done, farewell, farewell_ack, goaway, packet, response, stream};
use pipe_rpc_core::testing::{Faults, ScriptedPeer, hello};
use pipe_rpc_core::transport::memory;
use support::peer::call;
use support::service::{ECHO, NEVER, Probe, method};
use tokio::task::JoinHandle;
use tokio::time::Instant;

const LIMIT: Duration = Duration::from_secs(5);

fn start(channel: &Channel) -> JoinHandle<Result<Bytes, Fault>> {
    let stub = Stub::new(channel.clone(), "Probe");
    tokio::spawn(async move { stub.call(method(ECHO), Bytes::from_static(b"hello"), None).await })
}

fn shut_down(channel: &Channel) -> JoinHandle<Result<(), std::sync::Arc<ConnectionError>>> {
    let channel = channel.clone();
    tokio::spawn(async move { channel.shutdown(LIMIT).await })
}

#[tokio::test(start_paused = true)]
async fn a_shutdown_is_goaway_the_open_calls_farewell_and_its_acknowledgement() {
    let (channel, mut peer) = ScriptedPeer::server().await;
    let open = start(&channel);
    peer.expect("request 0.1").await;
    let shutdown = shut_down(&channel);
    peer.expect("goaway").await;
    peer.send(response((0, 1), b"the last")).await;
    peer.expect("farewell").await;
    assert!(!shutdown.is_finished(), "the last answer is not acknowledged");
    peer.send(farewell_ack()).await;
    shutdown.await.unwrap().unwrap();
    assert_eq!(open.await.unwrap().unwrap(), "the last");
    peer.expect_end().await;
    assert!(matches!(*channel.closed().await, ConnectionError::Closed));
}

#[tokio::test(start_paused = true)]
async fn at_the_limit_open_calls_are_cancelled_and_farewell_waits_for_none_of_them() {
    let (channel, mut peer) = ScriptedPeer::server().await;
    let (begun, open) = (Instant::now(), start(&channel));
    peer.expect("request 0.1").await;
    let shutdown = shut_down(&channel);
    peer.expect("goaway").await;
    peer.expect("cancel 0.1").await;
    assert_eq!(begun.elapsed().as_secs(), LIMIT.as_secs());
    let fault = open.await.unwrap().unwrap_err();
    assert_eq!(
        (fault.outcome(), fault.reason()),
        (Outcome::MayHaveRun, Reason::Draining)
    );
    peer.expect("farewell").await;
    peer.send(farewell_ack()).await;
    let why = shutdown.await.unwrap().unwrap_err();
    assert!(matches!(*why, ConnectionError::DrainDeadline), "{why}");
    assert_eq!(begun.elapsed().as_secs(), LIMIT.as_secs());
}

#[tokio::test(start_paused = true)]
async fn who_does_not_acknowledge_the_last_answer_is_not_waited_for_and_that_is_told() {
    let (channel, mut peer) = ScriptedPeer::server().await;
    let open = start(&channel);
    peer.expect("request 0.1").await;
    let shutdown = shut_down(&channel);
    peer.expect("goaway").await;
    peer.send(response((0, 1), b"in time")).await;
    assert_eq!(open.await.unwrap().unwrap(), "in time");
    let said = Instant::now();
    peer.expect("farewell").await;
    let why = shutdown.await.unwrap().unwrap_err();
    assert!(matches!(*why, ConnectionError::Unacknowledged), "{why}");
    assert_eq!(said.elapsed().as_secs(), 1);
}

#[tokio::test(start_paused = true)]
async fn of_two_limits_the_first_counts() {
    let (channel, mut peer) = ScriptedPeer::server().await;
    let (begun, _open) = (Instant::now(), start(&channel));
    peer.expect("request 0.1").await;
    let long = tokio::spawn({
        let channel = channel.clone();
        async move { channel.shutdown(Duration::MAX).await }
    });
    peer.expect("goaway").await;
    let short = shut_down(&channel);
    peer.expect("cancel 0.1").await;
    assert_eq!(begun.elapsed().as_secs(), LIMIT.as_secs());
    peer.close();
    assert!(long.await.unwrap().is_err());
    assert!(short.await.unwrap().is_err());
}

#[tokio::test(start_paused = true)]
async fn a_server_answers_at_its_drain_deadline_what_has_not_ended() {
    let (listener, connector) = memory::listener();
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let probe = Probe::default();
    let server = Server::builder().service(probe.clone()).drain_deadline(LIMIT);
    let serving = tokio::spawn(server.serve_until(listener, async { drop(stopped.await) }));
    let mut peer = ScriptedPeer::client(&connector).await;
    peer.send(&call((0, 1), NEVER, &[])).await;
    probe.running(1).await;
    let begun = Instant::now();
    drop(stop);
    peer.expect("goaway").await;
    let answer = peer.expect("response 0.1").await;
    assert_eq!(begun.elapsed().as_secs(), LIMIT.as_secs());
    assert_eq!(answer.head[0], 2, "a fault");
    // Code 4, draining; outcome 2, may have run.
    assert_eq!(answer.body[..3], [4, 0, 2]);
    peer.expect("farewell").await;
    probe.running(0).await;
    peer.send(farewell_ack()).await;
    serving.await.unwrap().unwrap();
    assert_eq!(begun.elapsed().as_secs(), LIMIT.as_secs());
}

#[tokio::test(start_paused = true)]
async fn a_server_whose_client_does_not_read_ends_a_second_after_its_deadline() {
    let (listener, connector) = memory::listener();
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let probe = Probe::default();
    let server = Server::builder().service(probe.clone()).drain_deadline(LIMIT);
    let serving = tokio::spawn(server.serve_until(listener, async { drop(stopped.await) }));
    let mut peer = ScriptedPeer::client(&connector).await;
    peer.send(&call((0, 1), NEVER, &[])).await;
    probe.running(1).await;
    let begun = Instant::now();
    drop(stop);
    serving.await.unwrap().unwrap();
    assert_eq!(begun.elapsed().as_secs(), LIMIT.as_secs() + 1);
}

#[tokio::test(start_paused = true)]
async fn a_client_without_channels_leaves_a_server_that_does_not_read() {
    let (ours, theirs) = memory::pair();
    let (ours, lane) = Faults::new().outgoing(ours);
    let (channel, mut peer) = ScriptedPeer::server_over(ours, theirs).await;
    lane.stall();
    let open = start(&channel);
    lane.until_full().await;
    let begun = Instant::now();
    open.abort();
    drop(channel);
    peer.expect_end().await;
    // 10 s, and another one for the farewell.
    assert_eq!(begun.elapsed().as_secs(), 11);
}

#[tokio::test(start_paused = true)]
async fn a_client_without_channels_does_not_wait_for_ever_for_the_end_of_a_cancelled_call() {
    let (channel, mut peer) = ScriptedPeer::server().await;
    let open = start(&channel);
    peer.expect("request 0.1").await;
    let begun = Instant::now();
    open.abort();
    drop(channel);
    peer.expect("cancel 0.1").await;
    peer.expect("farewell").await;
    assert_eq!(begun.elapsed().as_secs(), 10);
    peer.send(farewell_ack()).await;
    peer.expect_end().await;
}

#[tokio::test(start_paused = true)]
async fn a_client_without_channels_and_services_does_not_wait_for_the_acknowledgement() {
    let (channel, mut peer) = ScriptedPeer::server().await;
    let begun = Instant::now();
    drop(channel);
    peer.expect("farewell").await;
    peer.expect_end().await;
    assert_eq!(begun.elapsed(), Duration::ZERO);
}

#[tokio::test(start_paused = true)]
async fn a_client_without_channels_that_serves_waits_for_the_acknowledgement() {
    let (ours, theirs) = memory::pair();
    let offers = Server::builder().service(Probe::default()).build().unwrap();
    let mut peer = ScriptedPeer::new(theirs);
    let config = Config::default();
    let greeting = hello();
    let opening = Channel::open_serving(ours, &config, &offers);
    let (channel, _) = tokio::join!(opening, peer.welcome(&greeting));
    let begun = Instant::now();
    drop(channel);
    peer.expect("goaway").await;
    peer.expect("farewell").await;
    peer.expect_end().await;
    assert_eq!(begun.elapsed(), Duration::from_secs(1));
}

#[tokio::test(start_paused = true)]
async fn a_call_that_is_waited_for_keeps_a_connection_without_channels() {
    let (channel, mut peer) = ScriptedPeer::server().await;
    let open = start(&channel);
    drop(channel);
    peer.expect("request 0.1").await;
    tokio::time::sleep(Duration::from_secs(3600)).await;
    peer.send(response((0, 1), b"after an hour")).await;
    assert_eq!(open.await.unwrap().unwrap(), "after an hour");
    peer.expect("farewell").await;
}

#[tokio::test(start_paused = true)]
async fn a_stream_that_is_read_keeps_a_connection_without_channels() {
    let (channel, mut peer) = ScriptedPeer::server().await;
    let stub = Stub::new(channel, "Probe");
    let opening = tokio::spawn(async move {
        stub.stream::<_, Bytes, ()>(method(ECHO), Bytes::new(), None)
            .await
    });
    peer.expect("request 0.1").await;
    peer.send(stream((0, 1))).await;
    let stream = opening.await.unwrap().unwrap();
    tokio::time::sleep(Duration::from_secs(3600)).await;
    assert_eq!(peer.skip_arrived(), 0);
    drop(stream);
    peer.expect("cancel 0.1").await;
    peer.send(done((0, 1))).await;
    peer.expect("farewell").await;
}

#[tokio::test(start_paused = true)]
async fn both_ends_may_leave_at_once() {
    let (channel, mut peer) = ScriptedPeer::server().await;
    let shutdown = shut_down(&channel);
    peer.expect("goaway").await;
    peer.expect("farewell").await;
    peer.send(packet(&[goaway(0, "so do I"), farewell()])).await;
    peer.expect("farewell-ack").await;
    peer.send(farewell_ack()).await;
    shutdown.await.unwrap().unwrap();
}
