//! Calls and streams of both directions in the middle of a drain: they finish whole, or are cut with one error.

use std::time::Duration;

use pipe_rpc::{
    CallError, Channel, Client, Connect, ConnectionError, Outcome, PipeServer, Reason, ServeError,
};
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;

use crate::both::{Dice, End, HostClient};
use crate::support::lab::start;
use crate::support::streams::{MillClient, Refusal, read_all};
use crate::support::{Gauge, HANG, LabClient, soon, unique_name};

struct Running {
    gauge: Gauge,
    channel: Channel,
    /// What the client serves.
    plugin: Gauge,
    stop: oneshot::Sender<()>,
    server: JoinHandle<Result<(), ServeError>>,
}

async fn running(test: &str, drain_deadline: Duration) -> Running {
    let (name, end, plugin) = (unique_name(test), End::default(), End::default());
    let (stop, stopped) = oneshot::channel::<()>();
    let listener = PipeServer::bind(name.as_str()).unwrap();
    let server = end.services().drain_deadline(drain_deadline);
    let server = tokio::spawn(server.serve_until(listener, async { drop(stopped.await) }));
    let connect = Connect::to(name.as_str())
        .handshake_timeout(HANG)
        .serving(plugin.services());
    Running {
        gauge: end.0,
        channel: connect.open().await.unwrap(),
        plugin: plugin.0,
        stop,
        server,
    }
}

/// A stream both ways: what is fed comes back doubled.
struct Doubling {
    feed: mpsc::UnboundedSender<u64>,
    numbers: pipe_rpc::Streaming<u64, Refusal>,
}

impl Doubling {
    async fn open(channel: &Channel) -> Self {
        let (feed, fed) = mpsc::unbounded_channel();
        let fed = futures_util::stream::unfold(fed, |mut fed| async move { Some((fed.recv().await?, fed)) });
        let numbers = soon(MillClient::over(channel.clone()).double(fed)).await.unwrap();
        let mut doubling = Self { feed, numbers };
        doubling.check(1).await;
        doubling
    }

    async fn check(&mut self, number: u64) {
        self.feed.send(number).unwrap();
        assert_eq!(soon(self.numbers.next()).await.unwrap().unwrap(), 2 * number);
    }

    /// Goes on for long, and ends whole.
    async fn finish(self) {
        for number in 0..1000 {
            self.feed.send(number).unwrap();
        }
        drop(self.feed);
        let (numbers, error) = read_all(self.numbers).await;
        assert_eq!((numbers.len(), error), (1000, None));
    }

    /// It has been cut: one error says so.
    async fn ends_cut(self) {
        let (numbers, error) = read_all(self.numbers).await;
        let Some(CallError::Fault(fault)) = error else {
            panic!("half a stream looks whole, or failed by itself: {error:?}");
        };
        assert!(numbers.is_empty());
        assert_eq!(
            (fault.outcome(), fault.reason()),
            (Outcome::MayHaveRun, Reason::Draining)
        );
        // Whoever fed it was let go.
        soon(self.feed.closed()).await;
    }
}

/// Waits until calls of depth 0 are refused.
async fn until_draining(channel: &Channel) {
    let client = LabClient::new(channel.clone());
    soon(async { while client.echo("still there".into()).await.is_ok() {} }).await;
}

#[tokio::test]
async fn a_stream_both_ways_goes_on_in_a_draining_server_and_ends_whole() {
    let Running {
        channel,
        stop,
        server,
        ..
    } = running("drain-stream", HANG).await;
    let mut doubling = Doubling::open(&channel).await;
    stop.send(()).unwrap();
    until_draining(&channel).await;
    doubling.check(7).await;
    doubling.finish().await;
    soon(server).await.unwrap().unwrap();
    assert!(matches!(
        *soon(channel.closed()).await,
        ConnectionError::PeerClosed
    ));
}

#[tokio::test]
async fn a_stream_both_ways_is_cut_with_one_error_at_the_drain_deadline() {
    let Running {
        gauge,
        channel,
        stop,
        server,
        ..
    } = running("drain-stream-cut", Duration::from_millis(50)).await;
    let doubling = Doubling::open(&channel).await;
    stop.send(()).unwrap();
    soon(server).await.unwrap().unwrap();
    doubling.ends_cut().await;
    gauge.until_running(0).await;
}

#[tokio::test]
async fn a_stream_both_ways_goes_on_in_a_client_that_shuts_down_and_ends_whole() {
    let Running {
        channel, stop: _stop, ..
    } = running("drain-own-stream", HANG).await;
    let mut doubling = Doubling::open(&channel).await;
    let shutdown = tokio::spawn({
        let channel = channel.clone();
        async move { channel.shutdown(HANG).await }
    });
    until_draining(&channel).await;
    doubling.check(7).await;
    doubling.finish().await;
    soon(shutdown).await.unwrap().unwrap();
}

#[tokio::test]
async fn a_stream_both_ways_is_cut_with_one_error_when_a_client_shuts_down() {
    let Running {
        gauge,
        channel,
        stop: _stop,
        ..
    } = running("drain-own-stream-cut", HANG).await;
    let doubling = Doubling::open(&channel).await;
    assert!(soon(channel.shutdown(Duration::from_millis(50))).await.is_err());
    doubling.ends_cut().await;
    gauge.until_running(0).await;
}

#[tokio::test]
async fn handlers_call_back_while_their_server_drains() {
    let Running {
        gauge,
        channel,
        plugin,
        stop,
        server,
    } = running("drain-callback", HANG).await;
    let host = HostClient::new(channel.clone());
    let [echo, count] = [host.clone(), host.clone()];
    let echo = tokio::spawn(async move { echo.echo_at_caller("back".into()).await });
    let count = tokio::spawn(async move { count.count_at_caller(5000).await });
    gauge.until_running(2).await;
    stop.send(()).unwrap();
    until_draining(&channel).await;
    gauge.release();
    assert_eq!(soon(echo).await.unwrap(), Ok("back".into()));
    assert_eq!(soon(count).await.unwrap(), Ok(5000));
    soon(server).await.unwrap().unwrap();
    assert_eq!(plugin.running(), 0);
}

#[tokio::test]
async fn handlers_call_back_while_their_client_shuts_down() {
    let Running {
        gauge,
        channel,
        stop: _stop,
        ..
    } = running("drain-own-callback", HANG).await;
    let host = HostClient::new(channel.clone());
    let echo = tokio::spawn(async move { host.echo_at_caller("back".into()).await });
    gauge.until_running(1).await;
    let shutdown = tokio::spawn({
        let channel = channel.clone();
        async move { channel.shutdown(HANG).await }
    });
    until_draining(&channel).await;
    gauge.release();
    assert_eq!(soon(echo).await.unwrap(), Ok("back".into()));
    soon(shutdown).await.unwrap().unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_that_was_answered_is_lost_whoever_ends_it_and_when() {
    let mut dice = Dice(0x9e37_79b9_7f4a_7c15);
    for round in 0..200 {
        let Running {
            gauge,
            channel,
            stop,
            server,
            ..
        } = running("drain-rounds", HANG).await;
        let client = LabClient::new(channel.clone());
        let callers: Vec<_> = (0..=dice.below(16))
            .map(|_| {
                let size = [10, 10, 5_000, 100_000][usize::try_from(dice.below(4)).unwrap()];
                start(&client, move |client| async move {
                    for answered in 0.. {
                        if let Err(fault) = client.take(vec![7; size].into()).await {
                            return (answered, fault);
                        }
                    }
                    unreachable!("it ends")
                })
            })
            .collect();
        gauge.until_begun(usize::try_from(dice.below(60)).unwrap()).await;
        if dice.below(2) == 0 {
            stop.send(()).unwrap();
            soon(server).await.unwrap().unwrap();
        } else {
            soon(channel.shutdown(HANG)).await.unwrap();
        }
        let mut answered = 0;
        for caller in callers {
            let (count, fault) = soon(caller).await.unwrap();
            answered += count;
            assert!(fault.outcome().is_safe_to_retry(), "round {round}: {fault:?}");
        }
        assert_eq!(answered, gauge.begun(), "round {round}");
    }
}
