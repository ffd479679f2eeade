//! Large bodies are received straight into their place, and whole, whatever comes between.
#![cfg(target_os = "linux")]

#[expect(unreachable_pub, dead_code, reason = "each test file uses a part")]
mod support;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};

use bytes::Bytes;
use futures_util::{Stream, stream};
use pipe_rpc::{Channel, Config, PipeServer, Server};
use support::tap::{Tap, Tapped, tapped};
use support::{link, soon, unique_name};
use tokio::task::JoinSet;

const MIB: usize = 1 << 20;
const PACKET: usize = 96 << 10;

#[pipe_rpc::service]
trait Bulk {
    async fn echo(&self, body: Bytes) -> Bytes;
    async fn small(&self, value: u64) -> u64;
    async fn parts(&self, body: Bytes, times: u64) -> impl Stream<Item = Bytes>;
}

struct Echoer;

impl Bulk for Echoer {
    async fn echo(&self, body: Bytes) -> Bytes {
        body
    }
    async fn small(&self, value: u64) -> u64 {
        value
    }
    async fn parts(&self, body: Bytes, times: u64) -> impl Stream<Item = Bytes> {
        stream::iter((0..times).map(move |_| body.clone()))
    }
}

/// How many bytes have landed at one end.
#[derive(Default)]
struct Landed(AtomicUsize);

impl Landed {
    fn take(&self) -> usize {
        self.0.swap(0, SeqCst)
    }
}

impl Tap for Landed {
    fn sent(&self, _: &[u8]) {}
    fn received(&self, _: &[u8]) {}
    fn landed(&self, _: &[u8], bytes: usize) {
        self.0.fetch_add(bytes, SeqCst);
    }
}

struct Ends {
    client: BulkClient,
    here: Arc<Landed>,
    there: Arc<Landed>,
}

async fn ends() -> Ends {
    let name = unique_name("landing");
    let (here, there) = (Arc::default(), Arc::default());
    let listener = Tapped(PipeServer::bind(name.as_str()).unwrap(), Arc::clone(&there));
    tokio::spawn(Server::builder().service(BulkServer::new(Echoer)).serve(listener));
    let link = tapped(link::connect(&name).await, &here);
    let channel = Channel::open(link, &Config::default()).await.unwrap();
    Ends {
        client: BulkClient::new(channel),
        here,
        there,
    }
}

/// A body whose every part tells where it belongs.
fn body(seed: u64, len: usize) -> Bytes {
    let words = (0..len as u64)
        .step_by(8)
        .map(|at| (seed << 32 | at).to_le_bytes());
    let mut bytes: Vec<u8> = words.flatten().collect();
    bytes.truncate(len);
    bytes.into()
}

#[tokio::test]
async fn a_body_is_received_into_its_place_but_for_its_first_parts() {
    let Ends { client, here, there } = ends().await;
    for len in [2 * PACKET + 1, 3 * PACKET, MIB, 5 * MIB + 3] {
        let sent = body(1, len);
        assert_eq!(soon(client.echo(sent.clone())).await.unwrap(), sent);
        for landed in [here.take(), there.take()] {
            // The first comes before anybody knows that there is a body, and the second may come with it.
            assert!(
                (len.saturating_sub(2 * PACKET)..len).contains(&landed),
                "{landed} of {len}"
            );
        }
    }
}

#[tokio::test]
async fn bodies_side_by_side_with_small_calls_between_are_whole() {
    let Ends { client, here, .. } = ends().await;
    let mut calls = JoinSet::new();
    for seed in 0..8 {
        let client = client.clone();
        calls.spawn(async move {
            for round in 0..20 {
                let sent = body(seed, PACKET / 2 + seed as usize * 100_000 + round);
                assert_eq!(client.echo(sent.clone()).await.unwrap(), sent);
            }
        });
    }
    let beside = tokio::spawn(async move {
        for value in 0.. {
            assert_eq!(client.small(value).await.unwrap(), value);
        }
    });
    soon(calls.join_all()).await;
    beside.abort();
    assert!(here.take() > 0);
}

#[tokio::test]
async fn items_are_received_into_their_place() {
    let Ends { client, here, there } = ends().await;
    let sent = body(2, MIB);
    let mut parts = soon(client.parts(sent.clone(), 20)).await.unwrap();
    there.take();
    for _ in 0..20 {
        assert_eq!(soon(parts.next()).await.unwrap().unwrap(), sent);
    }
    assert!(soon(parts.next()).await.is_none());
    let landed = here.take();
    assert!(landed > 20 * (MIB - 2 * PACKET), "{landed}");
}
