//! Large bodies take turns with small calls of their connection: counted in packets, not timed.
//!
//! `PIPE_RPC_BULK_MIB=1024 cargo test --test fairness` carries 1 GiB each way in bodies of 64 MiB.

#[expect(unreachable_pub, dead_code, reason = "each test file uses a part")]
mod support;

use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use pipe_rpc::{Channel, Config, PipeServer, Server};
use rpc_core::method::wire_id;
use support::tap::{Tap, Tapped, tapped};
use support::{link, skipped_on_wine, soon, unique_name};

const MIB: usize = 1 << 20;

/// How many MiB go each way, unless the environment says otherwise, and in bodies of which size.
const BULK: usize = 64;
const BODY: usize = 16;
const LARGEST_BODY: usize = 64;

/// How many packets of bulk may go before a small frame that is ready to be sent: the one that the pipe had no room for
/// and one whose turn it is; and a turn of the driver's, where the handler had to become a task.
const FEW: usize = 8;

/// How many may come while a small call is under way: those that fill the pipe in both directions, and a few more.
const PIPES_FULL: usize = 64;

/// How many small calls there are beside the bulk, at least.
const SMALL_CALLS: usize = 200;

#[pipe_rpc::service]
trait Bulk {
    async fn put(&self, body: Bytes) -> u64;
    async fn get(&self) -> Bytes;
    async fn small(&self, value: [u64; 8]) -> [u64; 8];
}

struct Store(Bytes);

impl Bulk for Store {
    async fn put(&self, body: Bytes) -> u64 {
        body.len() as u64
    }
    async fn get(&self) -> Bytes {
        self.0.clone()
    }
    async fn small(&self, value: [u64; 8]) -> [u64; 8] {
        value
    }
}

/// Slot and generation.
type Call = (u32, u32);

/// One end, and how many of its packets went before each frame of a small call.
#[derive(Default)]
struct End {
    sent: AtomicUsize,
    received: AtomicUsize,
    /// The small call that is to be sent or answered here, and how many packets had been sent when it came.
    at: Mutex<Option<(Option<Call>, usize)>>,
    waits: Mutex<Vec<usize>>,
}

impl End {
    /// A small call is made, or has come.
    fn enter(&self, call: Option<Call>) {
        *self.at.lock().unwrap() = Some((call, self.sent.load(SeqCst)));
    }

    fn longest_wait(&self) -> usize {
        self.waits.lock().unwrap().iter().copied().max().unwrap()
    }
}

impl Tap for End {
    fn sent(&self, start: &[u8]) {
        let before = self.sent.fetch_add(1, SeqCst);
        let mut at = self.at.lock().unwrap();
        let Some((call, then)) = *at else { return };
        let is_it = |frame: &Frame| match call {
            None => frame.is_small,
            Some(_) => frame.kind == RESPONSE && Some(frame.call) == call,
        };
        if frames(start).iter().any(is_it) {
            self.waits.lock().unwrap().push(before - then);
            *at = None;
        }
    }

    fn received(&self, packet: &[u8]) {
        self.received.fetch_add(1, SeqCst);
        if let Some(frame) = frames(packet).iter().find(|frame| frame.is_small) {
            self.enter(Some(frame.call));
        }
    }
}

const REQUEST: u8 = 1;
const RESPONSE: u8 = 2;

struct Frame {
    kind: u8,
    call: Call,
    /// It is a request of the small method.
    is_small: bool,
}

/// The frames whose headers are there. PROTOCOL.md section 4.
fn frames(packet: &[u8]) -> Vec<Frame> {
    let mut frames = Vec::new();
    let mut rest = packet;
    if rest.starts_with(b"pipe-rpc") {
        return frames;
    }
    while rest.len() >= 16 {
        let u32_at = |at: usize| u32::from_le_bytes(rest[at..at + 4].try_into().unwrap());
        let kind = rest[4];
        frames.push(Frame {
            kind,
            call: (u32_at(8), u32_at(12)),
            is_small: kind == REQUEST && u32_at(20) == wire_id("small"),
        });
        rest = rest.get(16 + u32_at(0) as usize..).unwrap_or_default();
    }
    frames
}

/// A server in a thread of its own, so that both ends send and receive at the same time.
fn serve(name: &str, tap: Arc<End>, body: Bytes) {
    let (name, (bound, is_bound)) = (name.to_owned(), std::sync::mpsc::channel());
    std::thread::spawn(move || {
        runtime().block_on(async {
            let listener = PipeServer::bind(&*name).unwrap();
            bound.send(()).unwrap();
            let server = Server::builder().service(BulkServer::new(Store(body)));
            server.serve(Tapped(listener, tap)).await.unwrap();
        });
    });
    is_bound.recv().unwrap();
}

/// With one thread, nothing is sent between the moment in which a call is counted and the one in which it is made.
fn runtime() -> tokio::runtime::Runtime {
    let mut builder = tokio::runtime::Builder::new_current_thread();
    builder.enable_all().build().unwrap()
}

/// When the bulk has been going on for long enough.
#[derive(Clone)]
struct Bounds {
    bodies: usize,
    small_calls: Arc<AtomicUsize>,
}

impl Bounds {
    fn are_reached(&self, carried: usize) -> bool {
        carried >= self.bodies && self.small_calls.load(SeqCst) >= SMALL_CALLS
    }
}

/// The size of the bodies, and how many go each way.
fn bulk() -> (usize, usize) {
    let asked = std::env::var("PIPE_RPC_BULK_MIB").ok();
    let asked = asked.map(|text| text.parse().expect("a number of MiB"));
    let (bulk, body) = asked.map_or((BULK, BODY), |bulk| (bulk, LARGEST_BODY));
    (body * MIB, usize::div_ceil(bulk, body))
}

async fn put_all(client: BulkClient, body: Bytes, bounds: Bounds) {
    let mut carried = 0;
    while !bounds.are_reached(carried) {
        assert_eq!(soon(client.put(body.clone())).await, Ok(body.len() as u64));
        carried += 1;
    }
}

async fn get_all(client: BulkClient, size: usize, bounds: Bounds) {
    let mut carried = 0;
    while !bounds.are_reached(carried) {
        assert_eq!(soon(client.get()).await.unwrap().len(), size);
        carried += 1;
    }
}

#[test]
fn a_small_call_waits_for_a_few_packets_of_large_bodies_and_not_for_the_bodies() {
    if skipped_on_wine("how many packets a pipe holds") {
        return;
    }
    let (size, bodies) = bulk();
    let body = Bytes::from(vec![7; size]);
    let bounds = Bounds {
        bodies,
        small_calls: Arc::default(),
    };
    let name = unique_name("fairness");
    let (client_end, server_end) = (Arc::<End>::default(), Arc::<End>::default());
    serve(&name, Arc::clone(&server_end), body.clone());
    runtime().block_on(async {
        let link = tapped(link::connect(&name).await, &client_end);
        let client = BulkClient::new(Channel::open(link, &Config::default()).await.unwrap());
        let puts = tokio::spawn(put_all(client.clone(), body, bounds.clone()));
        let gets = tokio::spawn(get_all(client.clone(), size, bounds.clone()));
        while !puts.is_finished() || !gets.is_finished() {
            let call = bounds.small_calls.fetch_add(1, SeqCst) as u64;
            let before = client_end.received.load(SeqCst);
            client_end.enter(None);
            assert_eq!(soon(client.small([call; 8])).await, Ok([call; 8]));
            let came = client_end.received.load(SeqCst) - before;
            assert!(
                came <= PIPES_FULL,
                "{came} packets came while a small call was under way"
            );
        }
        puts.await.unwrap();
        gets.await.unwrap();
    });
    let waits = [&client_end, &server_end].map(|end| end.longest_wait());
    assert!(waits.iter().all(|wait| *wait <= FEW), "{waits:?} packets");
    let calls = client_end.waits.lock().unwrap().len();
    assert!(calls >= SMALL_CALLS, "{calls} small calls");
}
