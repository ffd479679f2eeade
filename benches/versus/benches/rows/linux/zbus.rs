//! zbus from peer to peer, without a bus, on tokio as its documentation recommends to who uses that: an interface and a
//! proxy. Each call runs in a task of its own, which is the default.
//!
//! `serde_bytes` is what it passes as a block; a `Vec<u8>` it takes byte by byte. A connection's queue of messages has room
//! for 64 unless told otherwise. The proxy keeps no properties, because the interface has none.

use bytes::Bytes;
use serde_bytes::ByteBuf;
use tokio::net::{UnixListener, UnixStream};
use zbus::{Guid, connection, interface, proxy};

use crate::place::Place;
use crate::row::{Row, Small};
use crate::server::Serving;
use crate::workload::Workload;

const PATH: &str = "/versus/Echo";

struct Echoer;

#[interface(name = "versus.Echo")]
impl Echoer {
    fn small(&self, value: [u64; 8]) -> [u64; 8] {
        value
    }
    fn bytes(&self, body: ByteBuf) -> ByteBuf {
        body
    }
    fn vec(&self, body: Vec<u8>) -> Vec<u8> {
        body
    }
}

#[proxy(
    interface = "versus.Echo",
    default_service = "versus.Echo",
    default_path = "/versus/Echo"
)]
trait Echo {
    fn small(&self, value: [u64; 8]) -> zbus::Result<[u64; 8]>;
    fn bytes(&self, body: &serde_bytes::Bytes) -> zbus::Result<ByteBuf>;
    fn vec(&self, body: &[u8]) -> zbus::Result<Vec<u8>>;
}

#[derive(Clone)]
pub(crate) struct Zbus(EchoProxy<'static>);

impl Row for Zbus {
    const HAS: &'static [Workload] = &[
        Workload::Rtt64,
        Workload::Pipe64,
        Workload::Bulk1m,
        Workload::Bulk64m,
        Workload::Vec1m,
        Workload::Mixed,
        Workload::Conns,
        Workload::Connect,
    ];

    async fn serve(serving: Serving) {
        let listener = UnixListener::bind(serving.job.place.path()).expect("the path is free");
        let guid = Guid::generate();
        serving.ready.tell();
        loop {
            let (stream, _) = listener.accept().await.expect("the listener lives");
            let accepting = connection::Builder::unix_stream(stream.into_std().expect("a socket"))
                .server(guid.clone())
                .p2p()
                .serve_at(PATH, Echoer)
                .build();
            tokio::spawn(async {
                let connection = accepting.await.expect("a client");
                connection.closed().await;
            });
        }
    }

    async fn connect(place: Place) -> Self {
        let stream = UnixStream::connect(place.path()).await.expect("a server listens");
        let connection = connection::Builder::unix_stream(stream.into_std().expect("a socket"))
            .p2p()
            .build()
            .await
            .expect("a server");
        Self(EchoProxy::new(&connection).await.expect("a proxy"))
    }

    async fn small(&mut self, value: Small) -> Small {
        self.0.small(value).await.expect("an echo")
    }

    async fn bytes(&mut self, body: Bytes) -> usize {
        let body = serde_bytes::Bytes::new(&body);
        self.0.bytes(body).await.expect("an echo").len()
    }

    async fn vec(&mut self, body: Vec<u8>) -> Vec<u8> {
        self.0.vec(&body).await.expect("an echo")
    }
}
