//! Links with faults: what arrives, when, and what a connection makes of it.

mod support;

use std::time::Duration;

use bytes::Bytes;
use pipe_rpc_core::client::{Channel, Stub};
use pipe_rpc_core::connection::{Config, ConnectionError};
use pipe_rpc_core::fault::{Outcome, Reason};
use pipe_rpc_core::server::Server;
use pipe_rpc_core::testing::frame::{self, ping};
use pipe_rpc_core::testing::{Faults, Lane, ScriptedPeer, serve};
use pipe_rpc_core::transport::{Link, memory};
use support::service::{ECHO, Probe, method};
use tokio::time::Instant;

const MS: Duration = Duration::from_millis(1);

/// A link to a server of the probe.
async fn link() -> Link {
    serve(Server::builder().service(Probe::default()))
        .connect()
        .await
        .unwrap()
}

async fn open(link: Link) -> (Channel, Stub<Channel>) {
    let channel = Channel::open(link, &Config::default()).await.unwrap();
    let stub = Stub::new(channel.clone(), "Probe");
    (channel, stub)
}

async fn echo(stub: &Stub<Channel>, size: usize) -> Result<Bytes, pipe_rpc_core::fault::Fault> {
    let body: Bytes = (0..size).map(|at| (at % 251) as u8).collect();
    let echo: Bytes = stub.call(method(ECHO), body.clone(), None).await?;
    assert_eq!(echo, body);
    Ok(echo)
}

/// The same faults, at whichever end they are put in: two scripts, what is sent by the first is faulty.
fn both_ways(faults: impl Fn() -> Faults) -> [(ScriptedPeer, ScriptedPeer, Lane); 2] {
    let (one, other) = memory::pair();
    let (one, lane) = faults().outgoing(one);
    let first = (ScriptedPeer::new(one), ScriptedPeer::new(other), lane);
    let (one, other) = memory::pair();
    let (other, lane) = faults().incoming(other);
    [first, (ScriptedPeer::new(one), ScriptedPeer::new(other), lane)]
}

#[tokio::test(start_paused = true)]
async fn a_delay_is_that_of_each_packet_and_not_of_all_together() {
    for (mut one, mut other, lane) in both_ways(|| Faults::new().delay(10 * MS)) {
        let start = Instant::now();
        let receive = async {
            for payload in 0..3 {
                other.expect(ping(payload)).await;
                let passed = Instant::now() - start;
                assert_eq!(passed.as_millis(), 10 + 2 * u128::from(payload));
            }
            other.expect_end().await;
        };
        let send = async move {
            for payload in 0..3 {
                one.send(ping(payload)).await;
                tokio::time::sleep(2 * MS).await;
            }
        };
        tokio::join!(receive, send);
        assert_eq!(lane.frames(), [ping(0), ping(1), ping(2)]);
    }
}

#[tokio::test(start_paused = true)]
async fn what_was_sent_before_a_link_was_closed_arrives_after_its_delay() {
    let (one, other) = memory::pair();
    let (one, _) = Faults::new().delay(10 * MS).outgoing(one);
    let (mut one, mut other) = (ScriptedPeer::new(one), ScriptedPeer::new(other));
    one.send(ping(1)).await;
    one.close();
    other.expect(ping(1)).await;
    other.expect_end().await;
}

#[tokio::test(start_paused = true)]
async fn a_delay_holds_no_more_than_a_pipe_would() {
    for (mut one, mut other, lane) in both_ways(|| Faults::new().delay(10 * MS)) {
        let packet = vec![0x55; 60_000];
        let sent = async {
            for _ in 0..100 {
                one.send(&packet).await;
            }
        };
        let stuck = tokio::time::timeout(9 * MS, sent).await;
        assert!(stuck.is_err(), "6 MB are under way");
        assert_eq!(lane.passed(), 0);
        drop(one);
        while other.recv().await.is_some() {}
        assert!((4..30).contains(&lane.passed()), "{}", lane.passed());
    }
}

#[tokio::test(start_paused = true)]
async fn an_end_that_is_cut_vanishes_after_as_many_packets() {
    for (mut one, mut other, lane) in both_ways(|| Faults::new().cut_after(2)) {
        one.send(ping(1)).await;
        one.send(ping(2)).await;
        other.expect(ping(1)).await;
        other.expect(ping(2)).await;
        other.expect_end().await;
        one.expect_end().await;
        assert!(one.try_send(ping(3)).await.is_err());
        assert_eq!(lane.passed(), 2);
    }
}

#[tokio::test(start_paused = true)]
async fn a_delayed_end_that_is_cut_vanishes_after_as_many_packets() {
    for (mut one, mut other, lane) in both_ways(|| Faults::new().delay(10 * MS).cut_after(1)) {
        one.send(ping(1)).await;
        one.send(ping(2)).await;
        other.expect(ping(1)).await;
        other.expect_end().await;
        one.expect_end().await;
        assert_eq!(lane.passed(), 1);
    }
}

#[tokio::test]
async fn a_link_that_is_cut_before_the_first_packet_lets_nothing_through() {
    for (mut one, mut other, _) in both_ways(|| Faults::new().cut_after(0)) {
        assert!(one.try_send(ping(1)).await.is_err());
        other.expect_end().await;
    }
}

#[tokio::test(start_paused = true)]
async fn nothing_comes_through_while_a_lane_is_stalled() {
    for delay in [Duration::ZERO, MS] {
        for (mut one, other, lane) in both_ways(|| Faults::new().delay(delay).stalled()) {
            let sent = tokio::spawn(async move {
                one.send(ping(1)).await;
                one
            });
            let mut other = other.with_patience(10 * MS);
            assert!(tokio::time::timeout(5 * MS, other.recv()).await.is_err());
            lane.resume();
            other.expect(ping(1)).await;
            let mut one = sent.await.unwrap();
            lane.stall();
            let sent = tokio::spawn(async move { one.try_send(ping(2)).await });
            assert!(tokio::time::timeout(5 * MS, other.recv()).await.is_err());
            lane.cut();
            other.expect_end().await;
            drop(sent.await.unwrap());
        }
    }
}

#[tokio::test]
async fn a_sender_that_is_stalled_is_told_to_wait_and_goes_when_it_is_closed() {
    let (one, _other) = memory::pair();
    let (one, lane) = Faults::new().stalled().outgoing(one);
    let error = one.sender.try_send(&[std::io::IoSlice::new(b"x")]).unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::WouldBlock);
    lane.until_full().await;
    let ready = std::future::poll_fn(|cx| one.sender.poll_ready(cx));
    let close = async { one.sender.close() };
    let (ready, ()) = tokio::join!(ready, close);
    assert!(ready.is_err());
}

#[tokio::test]
async fn a_torn_packet_ends_the_connection_with_what_was_wrong() {
    let (link, to_server) = Faults::new().tear(2).outgoing(link().await);
    let (channel, stub) = open(link).await;
    let fault = echo(&stub, 100).await.unwrap_err();
    assert_eq!(
        (fault.outcome(), fault.reason()),
        (Outcome::MayHaveRun, Reason::ConnectionLost)
    );
    let size = to_server.packets()[1].len();
    let text = format!("a packet of {size} bytes does not end where its last frame ends");
    assert!(matches!(&*channel.closed().await, ConnectionError::Reported(told) if **told == *text));
}

#[tokio::test]
async fn a_torn_answer_ends_the_connection_with_what_was_wrong() {
    let (link, _) = Faults::new().tear(2).incoming(link().await);
    let (channel, stub) = open(link).await;
    assert_eq!(echo(&stub, 100).await.unwrap_err().outcome(), Outcome::MayHaveRun);
    let reason = channel.closed().await;
    assert!(matches!(&*reason, ConnectionError::Protocol(_)), "{reason}");
}

/// A part of a large body is received straight to its place; what is torn of it is noticed all the same.
#[tokio::test]
async fn a_torn_part_of_a_large_answer_ends_the_connection_with_what_was_wrong() {
    let (link, from_server) = Faults::new().tear(5).incoming(link().await);
    let (channel, stub) = open(link).await;
    assert_eq!(
        echo(&stub, 1 << 20).await.unwrap_err().outcome(),
        Outcome::MayHaveRun
    );
    let reason = channel.closed().await;
    assert!(matches!(&*reason, ConnectionError::Protocol(_)), "{reason}");
    assert_eq!(from_server.passed(), 5);
}

#[tokio::test]
async fn packets_can_be_changed() {
    let shout = |packet: &mut Vec<u8>| {
        if !packet.starts_with(b"pipe-rpc") {
            packet.make_ascii_uppercase();
        }
    };
    let (link, _) = Faults::new().change(shout).incoming(link().await);
    let (_channel, stub) = open(link).await;
    let echo = stub.call::<_, Bytes>(method(ECHO), Bytes::from_static(b"quiet"), None);
    assert_eq!(echo.await.unwrap(), Bytes::from_static(b"QUIET"));
}

#[tokio::test(start_paused = true)]
async fn bodies_of_any_size_pass_a_slow_link() {
    let (link, _) = Faults::new().delay(3 * MS).outgoing(link().await);
    let (link, from_server) = Faults::new().delay(3 * MS).incoming(link);
    let (channel, stub) = open(link).await;
    for size in [0, 1, 100_000, 3 << 20] {
        assert_eq!(echo(&stub, size).await.unwrap().len(), size);
    }
    let start = Instant::now();
    channel.ping().await.unwrap();
    assert_eq!(start.elapsed(), 6 * MS);
    from_server.until_passed(3).await;
    assert!(
        from_server
            .frames()
            .iter()
            .any(|frame| frame.kind == frame::pong(0).kind)
    );
}

#[tokio::test(start_paused = true)]
async fn a_call_over_a_link_that_is_stalled_ends_at_its_deadline_and_the_link_lives_on() {
    let (link, to_server) = Faults::new().outgoing(link().await);
    let (_channel, stub) = open(link).await;
    to_server.stall();
    let hasty = stub.clone().with_timeout(Duration::from_secs(2));
    let fault = echo(&hasty, 10).await.unwrap_err();
    assert_eq!(fault.reason(), Reason::DeadlineExceeded);
    to_server.resume();
    assert_eq!(echo(&stub, 10).await.unwrap().len(), 10);
}
