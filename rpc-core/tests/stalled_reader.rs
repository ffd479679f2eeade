//! Readers that do not read: what both ends hold for them is bounded by the credit of their streams.

mod support;

use std::alloc::System;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use bytes::Bytes;
use futures_util::stream;
use peakmem_alloc::{INSTRUMENTED_SYSTEM, PeakMemAlloc, PeakMemAllocTrait as _};
use pipe_rpc_core::client::{Channel, Stub};
use pipe_rpc_core::connection::Config;
use pipe_rpc_core::streaming::{Streaming, Upload};
use pipe_rpc_core::testing::frame::stream_credit;
use pipe_rpc_core::testing::{self, Hello, ScriptedPeer};
use pipe_rpc_core::transport::memory::{self, MemoryConnector};
use support::peer::serve;
use support::service::{ECHO, FLOOD, HOARD, Probe, method};

#[global_allocator]
static COUNTING: &PeakMemAlloc<System> = &INSTRUMENTED_SYSTEM;

/// One at a time: the allocator counts the whole process.
static TURN: tokio::sync::Mutex<()> = tokio::sync::Mutex::const_new(());

const KIB: usize = 1 << 10;
const CREDIT: usize = 256 * KIB;

/// What a connection holds beside its streams: the pipe's buffers (a quarter MiB each way), packets, tasks.
const ORDINARY: usize = 2 << 20;

/// Around what fits a packet, what is copied out of one, and what fits a credit.
const SIZES: [usize; 7] = [0, 100, 4 * KIB, 33 * KIB, 64 * KIB, 100 * KIB, 300 * KIB];

/// How many items of that size a stream's credit is for; the last may go beyond.
fn items(size: usize) -> usize {
    CREDIT.div_ceil(size + 64)
}

/// What a stream may hold: items on their way are charged as those that came; lists double when they grow, and so does
/// an item that comes in fragments.
fn held(size: usize) -> usize {
    2 * (CREDIT + size)
}

async fn open() -> (Stub<Channel>, Probe, MemoryConnector) {
    let (connector, probe) = serve(|server| server);
    let link = connector.connect().await.unwrap();
    let channel = Channel::open(link, &Config::default()).await.unwrap();
    (Stub::new(channel, "Probe"), probe, connector)
}

#[tokio::test]
async fn a_reader_that_grants_much_gets_more_than_may_wait_at_once_to_leave() {
    const ITEMS: usize = 20_000;
    let _turn = TURN.lock().await;
    let (connector, _probe) = serve(|server| server);
    let mut config = Config::default();
    config.stream_buffer = 1 << 40;
    let link = connector.connect().await.unwrap();
    let stub = Stub::new(Channel::open(link, &config).await.unwrap(), "Probe");
    for size in [100, 5000, 70_000] {
        let argument = Bytes::from(vec![7; size]);
        let mut items: Streaming<Bytes> = stub.stream(method(FLOOD), argument, None).await.unwrap();
        for _ in 0..ITEMS * 100 / size {
            assert_eq!(items.next().await.unwrap().unwrap().len(), size);
        }
    }
}

/// Lets all that can happen happen: calls go to the other end and back.
async fn settle(stub: &Stub<Channel>) {
    for _ in 0..100 {
        let echoed: Bytes = stub.call(method(ECHO), Bytes::new(), None).await.unwrap();
        assert!(echoed.is_empty());
    }
}

/// Items of that size, and how many were asked for.
fn counted(size: usize) -> (Upload, Arc<AtomicUsize>) {
    let (made, item) = (Arc::<AtomicUsize>::default(), Bytes::from(vec![7; size]));
    let items = stream::iter(std::iter::repeat_with({
        let made = Arc::clone(&made);
        move || {
            made.fetch_add(1, Ordering::SeqCst);
            Bytes::copy_from_slice(&item)
        }
    }));
    (Upload::of(pipe_rpc_core::codec::Codec::default(), items), made)
}

#[tokio::test]
async fn a_client_that_does_not_read_its_streams_holds_their_credit() {
    const STREAMS: usize = 8;
    let _turn = TURN.lock().await;
    for size in SIZES {
        let (stub, probe, _server) = open().await;
        settle(&stub).await;
        let argument = Bytes::from(vec![7; size]);
        COUNTING.reset_peak_memory();
        let mut unread: Vec<Streaming<Bytes>> = Vec::new();
        for _ in 0..STREAMS {
            unread.push(stub.stream(method(FLOOD), argument.clone(), None).await.unwrap());
        }
        while probe.made() < STREAMS * items(size) {
            tokio::task::yield_now().await;
        }
        settle(&stub).await;
        assert_eq!(probe.made(), STREAMS * items(size), "items of {size} bytes");
        let (grown, limit) = (COUNTING.get_peak_memory(), ORDINARY + STREAMS * held(size));
        assert!(
            grown < limit,
            "{grown} bytes of {limit} for items of {size} bytes"
        );
        // It reads on, and so the server goes on.
        for stream in &mut unread {
            for _ in 0..2 * items(size) {
                assert_eq!(stream.next().await.unwrap().unwrap(), argument);
            }
        }
    }
}

#[tokio::test]
async fn a_server_that_does_not_read_uploads_holds_their_credit() {
    const STREAMS: usize = 8;
    let _turn = TURN.lock().await;
    for size in SIZES {
        let (stub, _, _server) = open().await;
        settle(&stub).await;
        COUNTING.reset_peak_memory();
        let mut calls = tokio::task::JoinSet::new();
        let mut counts = Vec::new();
        for _ in 0..STREAMS {
            let (upload, made) = counted(size);
            let stub = stub.clone();
            counts.push(made);
            calls.spawn(async move {
                stub.call::<_, Bytes>(method(HOARD), Bytes::new(), Some(upload))
                    .await
            });
        }
        let made = || {
            let counts = counts.iter().map(|made| made.load(Ordering::SeqCst));
            counts.sum::<usize>()
        };
        while made() < STREAMS * items(size) {
            tokio::task::yield_now().await;
        }
        settle(&stub).await;
        assert_eq!(made(), STREAMS * items(size), "items of {size} bytes");
        let (grown, limit) = (COUNTING.get_peak_memory(), ORDINARY + STREAMS * held(size));
        assert!(
            grown < limit,
            "{grown} bytes of {limit} for items of {size} bytes"
        );
    }
}

#[tokio::test]
async fn a_server_that_does_not_read_its_pipe_costs_a_client_no_more_whatever_it_grants() {
    const STREAMS: usize = 8;
    let _turn = TURN.lock().await;
    for size in SIZES {
        let (ours, theirs) = memory::pair();
        let mut peer = ScriptedPeer::new(theirs);
        let hello = Hello {
            stream: 1 << 60,
            ..testing::hello()
        };
        let config = Config::default();
        let (channel, _) = tokio::join!(Channel::open(ours, &config), peer.welcome(&hello));
        let stub = Stub::new(channel.unwrap(), "Probe");
        COUNTING.reset_peak_memory();
        let mut calls = tokio::task::JoinSet::new();
        for _ in 0..STREAMS {
            let (upload, _) = counted(size);
            let stub = stub.clone();
            calls.spawn(async move {
                stub.call::<_, Bytes>(method(HOARD), Bytes::new(), Some(upload))
                    .await
            });
        }
        for slot in 0..u32::try_from(STREAMS).unwrap() {
            for _ in 0..2000 {
                tokio::task::yield_now().await;
            }
            peer.send(stream_credit((slot, 1), 1 << 61)).await;
        }
        let (grown, limit) = (COUNTING.get_peak_memory(), ORDINARY + STREAMS * held(size));
        assert!(
            grown < limit,
            "{grown} bytes of {limit} for items of {size} bytes"
        );
    }
}
