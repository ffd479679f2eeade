//! A whole server over a link in memory: whatever a client says, nobody panics and the next client is served.

use std::time::Duration;

use arbitrary::{Result, Unstructured};
use futures_util::{StreamExt, stream};
use pipe_rpc_core::fault::{Fault, Outcome, Reason};
use pipe_rpc_core::message::{Request, Response};
use pipe_rpc_core::method::{Method, wire_id};
use pipe_rpc_core::proto::Body;
use pipe_rpc_core::server::{Feed, Mount, Reply, Server, reply_with_stream};
use pipe_rpc_core::streaming::{ItemError, Items};
use pipe_rpc_core::testing::{Frame, ScriptedPeer, frame, hello, serve};
use pipe_rpc_core::transport::memory::MemoryConnector;

use super::made;

static METHODS: [Method; 7] = [
    Method::new("Probe", "echo", "(Bytes) -> Bytes"),
    Method::new("Probe", "never", "() -> ()"),
    Method::new("Probe", "later", "(Bytes) -> Bytes"),
    Method::new("Probe", "touch", "()").oneway(),
    Method::new("Probe", "count", "(Bytes) -> impl Stream<Item = Bytes>"),
    Method::new(
        "Probe",
        "gather",
        "(Streaming<Bytes>) -> impl Stream<Item = Bytes>",
    ),
    Method::new(
        "Probe",
        "grow",
        "(Streaming<u8>) -> impl Stream<Item = Result<String, ()>>",
    ),
];

const SERVICE: u32 = wire_id("Probe");
const ECHO: u32 = wire_id("echo");

struct Probe;

impl Mount for Probe {
    fn name(&self) -> &'static str {
        "Probe"
    }

    fn methods(&self) -> &'static [Method] {
        &METHODS
    }

    fn call(&self, index: usize, request: Request) -> Reply {
        if index == 6 {
            return reply_with_stream(request, grow);
        }
        Box::pin(async move {
            let body = request.body().clone();
            match index {
                0 => Ok(Response::ok(body)),
                1 => std::future::pending().await,
                2 => {
                    tokio::time::sleep(Duration::from_millis(5)).await;
                    Ok(Response::ok(vec![0; body.len() * 100].into()))
                }
                3 => Ok(Response::ok(Body::new())),
                4 => Ok(Response::stream(count(body))),
                5 => match request.upload().and_then(|upload| upload.take()) {
                    Some(items) => Ok(Response::stream(items)),
                    None => Ok(Response::failed(body)),
                },
                _ => Err(Fault::new(Outcome::Refused, Reason::UnknownMethod)),
            }
        })
    }
}

/// Decodes items, and encodes others.
async fn grow(request: Request, feed: Feed) -> std::result::Result<Response, Fault> {
    let sizes = request.take_stream::<u8, ()>()?;
    let (cx, ()) = request.accept()?;
    let items = sizes.map(|size| {
        size.map(|size| "x".repeat(usize::from(size) * 30))
            .map_err(|_| ())
    });
    feed.results(&cx, items).await
}

/// As many items as the body has bytes, and an error after a long one.
fn count(body: Body) -> Items {
    let bytes = body.into_bytes();
    let error = (bytes.len() > 20).then(|| Err(ItemError::Failed(Body::new())));
    let items: Vec<_> = bytes
        .iter()
        .map(|size| Ok(vec![0; usize::from(*size) * 30].into()))
        .collect();
    Items::new(stream::iter(items.into_iter().chain(error)))
}

/// The first byte chooses how the client greets; then come packets and what happens between them.
pub fn run(input: &[u8]) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build();
    runtime.expect("a runtime without I/O").block_on(async {
        let server = Server::builder().service(Probe);
        let connector = serve(server.max_calls(3).max_nested(2).max_body(10_000).window(100));
        let mut u = Unstructured::new(input);
        if let Ok(mut peer) = greet(&connector, &mut u).await {
            let methods = METHODS.each_ref().map(|method| method.id);
            let mut packets = made::Peer::new(SERVICE, &methods);
            while !u.is_empty() && step(&mut peer, &mut packets, &mut u).await.is_ok() {}
        }
        assert_alive(&connector).await;
    });
}

async fn greet(connector: &MemoryConnector, u: &mut Unstructured<'_>) -> Result<ScriptedPeer> {
    let mut peer = ScriptedPeer::connect(connector).await;
    let mut greeting = hello();
    match u.arbitrary::<u8>()? {
        0..150 => {}
        150..200 => (greeting.max_packet, greeting.stream) = (4096, 100),
        200..220 => (greeting.max_calls, greeting.stream, greeting.max_body) = (0, 0, 0),
        220..240 => {
            let mut packet = greeting.encode();
            for _ in 0..4 {
                let at = usize::from(u.arbitrary::<u8>()?) % packet.len();
                packet[at] = u.arbitrary()?;
            }
            peer.send(packet).await;
            peer.recv().await;
            return Ok(peer);
        }
        _ => {
            // The link itself refuses an empty one.
            let _ = peer.try_send(made::Peer::new(SERVICE, &[ECHO]).packet(u)?).await;
            peer.recv().await;
            return Ok(peer);
        }
    }
    peer.greet(&greeting).await;
    Ok(peer)
}

/// `Err`: the input or the connection is over.
async fn step(peer: &mut ScriptedPeer, packets: &mut made::Peer<'_>, u: &mut Unstructured<'_>) -> Result<()> {
    let what = u.arbitrary::<u8>()?;
    match what {
        0..160 => {
            let packet = packets.packet(u)?;
            if packet.is_empty() {
                return Ok(());
            }
            let sending = tokio::time::timeout(Duration::from_millis(1), peer.try_send(packet));
            if let Ok(Err(_)) = sending.await {
                return Err(arbitrary::Error::NotEnoughData);
            }
        }
        160..220 => {
            for _ in 0..what % 8 {
                tokio::task::yield_now().await;
            }
        }
        220..240 => drop(peer.skip_arrived()),
        _ => tokio::time::sleep(Duration::from_millis(u64::from(what - 239).pow(3))).await,
    }
    Ok(())
}

/// The server still serves: a new client's call comes back.
async fn assert_alive(connector: &MemoryConnector) {
    let mut peer = ScriptedPeer::client(connector).await;
    let call: Frame = frame::request((0, 1), b"still here").to("Probe", "echo");
    peer.send(call).await;
    peer.expect(frame::response((0, 1), b"still here")).await;
}
