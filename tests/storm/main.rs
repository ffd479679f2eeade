//! Streams in both directions and unary calls of both ends at once, with random cancels, deadlines and pauses of the
//! reading: every stream that ends is whole and in order, and every call ends.
//!
//! Ten seconds, or as many as `PIPE_RPC_STORM_SECONDS` says; `PIPE_RPC_STORM_SEED` repeats the choices of a storm.

mod gale;
mod paused;
mod random;
#[expect(unreachable_pub, dead_code, reason = "each test file uses a part")]
#[path = "../support/mod.rs"]
mod support;
mod workers;

use std::sync::Arc;
use std::time::Duration;

use pipe_rpc::transport::Listener;
use pipe_rpc::{Channel, Config, Outcome, PipeServer, Server, Services};
use tokio::task::JoinSet;
use tokio::time::Instant;

use gale::{Blowing, GaleClient, GaleServer};
use paused::{PausedListener, Weather, paused};
use random::Random;
use support::{HANG, soon, unique_name};
use workers::{Done, Worker};

/// How many of each kind of worker an end has: the streams of both ends are 50 each way.
const STREAMS: usize = 25;
const CALLS: usize = 250;

/// Fewer than there are workers, so that slots change hands all the time.
const MAX_CALLS: u32 = 150;

/// Two ends that serve and call each other over a real pipe.
struct Ends {
    client: GaleClient,
    /// The client of the server's end.
    server: GaleClient,
    blowing: [Blowing; 2],
    weather: [Arc<Weather>; 2],
    serving: tokio::task::JoinHandle<()>,
}

async fn ends(test: &str) -> Ends {
    let name = unique_name(test);
    let blowing = [Blowing::default(), Blowing::default()];
    let weather = [Arc::<Weather>::default(), Arc::default()];
    let builder = |blowing: &Blowing| {
        let server = Server::builder().service(GaleServer::new(blowing.clone()));
        server.max_calls(MAX_CALLS).handshake_timeout(HANG)
    };
    let listener = PipeServer::bind(name.as_str()).unwrap();
    let listener: PausedListener = PausedListener::new(listener, &weather[1]);
    assert!(!listener.local_name().is_empty());
    let server = builder(&blowing[1]);
    let serving = tokio::spawn(async move { server.serve(listener).await.unwrap() });
    let services: Services = builder(&blowing[0]).build().unwrap();
    let link = paused(support::link::connect(&name).await, &weather[0]);
    let mut config = Config::default();
    config.handshake_timeout = HANG;
    let channel = Channel::open_serving(link, &config, &services).await.unwrap();
    let client = GaleClient::new(channel);
    soon(client.meet()).await.unwrap();
    let back = blowing[1].met();
    Ends {
        client,
        server: GaleClient::new(back),
        blowing,
        weather,
        serving,
    }
}

fn number(variable: &str) -> Option<u64> {
    std::env::var(variable).ok()?.parse().ok()
}

fn seed() -> u64 {
    let time = std::time::SystemTime::UNIX_EPOCH.elapsed().unwrap();
    let seed = number("PIPE_RPC_STORM_SEED").unwrap_or(time.as_nanos() as u64);
    // The test's output is shown if it fails.
    println!("PIPE_RPC_STORM_SEED={seed}");
    seed
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn streams_and_calls_of_both_ends_in_a_storm() {
    let mut random = Random::new(seed());
    let ends = ends("storm").await;
    let until = Instant::now() + Duration::from_secs(number("PIPE_RPC_STORM_SECONDS").unwrap_or(10));
    let changing = ends.weather.clone().map(|weather| {
        let random = random.fork();
        tokio::spawn(weather.change(random, until))
    });
    let mut workers = JoinSet::new();
    for client in [&ends.client, &ends.server] {
        let mut start = |count: usize, kind: fn(Worker) -> workers::Work| {
            for _ in 0..count {
                let worker = Worker {
                    client: client.clone(),
                    random: random.fork(),
                    until,
                };
                workers.spawn(kind(worker));
            }
        };
        start(STREAMS - 5, workers::downloads);
        start(STREAMS - 5, workers::uploads);
        start(5, workers::both_ways);
        start(CALLS, workers::calls);
    }
    let mut all = Done::default();
    while let Some(done) = soon(workers.join_next()).await {
        all += done.unwrap();
    }
    for changing in changing {
        changing.await.unwrap();
    }
    println!("{all:?}");
    assert!(
        all.streams > 0 && all.items > 0 && all.calls > 0 && all.dropped > 0,
        "{all:?}"
    );
    // All slots are free again, at both ends, and no handler is left.
    for client in [&ends.client, &ends.server] {
        let mut calls = JoinSet::new();
        for number in 0..u64::from(2 * MAX_CALLS) {
            let client = client.clone();
            calls.spawn(async move { assert_eq!(client.echo(number, 0).await, Ok(number)) });
        }
        while let Some(call) = soon(calls.join_next()).await {
            call.unwrap();
        }
    }
    for blowing in &ends.blowing {
        soon(blowing.at_rest()).await;
    }
    ends.serving.abort();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn every_call_and_stream_ends_when_the_connection_is_cut() {
    let mut random = Random::new(seed());
    for _ in 0..10 {
        let ends = ends("storm-cut").await;
        let mut open = JoinSet::new();
        for _ in 0..10 {
            for client in [&ends.client, &ends.server] {
                let (client, random) = (client.clone(), random.fork());
                open.spawn(workers::download_without_end(client.clone(), random.clone()));
                open.spawn(workers::upload_without_end(client.clone(), random.clone()));
                open.spawn(workers::calls_without_end(client, random));
            }
        }
        for _ in 0..random.below(2000) {
            tokio::task::yield_now().await;
        }
        ends.serving.abort();
        while let Some(fault) = soon(open.join_next()).await {
            let fault = fault.unwrap();
            assert!(
                matches!(fault.outcome(), Outcome::MayHaveRun | Outcome::NotSent),
                "{fault}"
            );
        }
        for blowing in &ends.blowing {
            soon(blowing.at_rest()).await;
        }
    }
}
