//! pipe-rpc as it comes: generated client, no layers, nothing configured, but for `growth`: there a connection may have
//! more open calls than usual.

use std::future;
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;
use futures_util::stream::{self, Stream};
use pipe_rpc::{PipeServer, Server};

use crate::place::Place;
use crate::row::{Row, Small};
use crate::server::Serving;
use crate::workload::Workload;

/// How many open calls a connection may have in `growth`.
const CREDIT: u32 = 1 << 14;

#[pipe_rpc::service]
trait Echo {
    async fn small(&self, value: [u64; 8]) -> [u64; 8];
    async fn bytes(&self, body: Bytes) -> Bytes;
    async fn vec(&self, body: Vec<u8>) -> Vec<u8>;
    async fn stream(&self, items: u64) -> impl Stream<Item = [u64; 8]>;
    /// Waits until it is cancelled.
    async fn wait(&self);
    /// How many have begun to wait.
    async fn waiting(&self) -> u64;
}

#[derive(Default)]
struct Echoer {
    waiting: AtomicU64,
}

impl Echo for Echoer {
    async fn small(&self, value: [u64; 8]) -> [u64; 8] {
        value
    }
    async fn bytes(&self, body: Bytes) -> Bytes {
        body
    }
    async fn vec(&self, body: Vec<u8>) -> Vec<u8> {
        body
    }
    async fn stream(&self, items: u64) -> impl Stream<Item = [u64; 8]> {
        stream::iter((0..items).map(|item| [item; 8]))
    }
    async fn wait(&self) {
        self.waiting.fetch_add(1, Ordering::Relaxed);
        future::pending::<()>().await;
    }
    async fn waiting(&self) -> u64 {
        self.waiting.load(Ordering::Relaxed)
    }
}

#[derive(Clone)]
pub(crate) struct PipeRpc(EchoClient);

impl Row for PipeRpc {
    const HAS: &'static [Workload] = &Workload::ALL;

    async fn serve(serving: Serving) {
        let listener = PipeServer::bind(serving.job.place.text()).expect("the name is free");
        let mut server = Server::builder().service(EchoServer::new(Echoer::default()));
        if serving.job.workload == Workload::Growth {
            server = server.max_calls(CREDIT);
        }
        serving.ready.tell();
        server.serve(listener).await.expect("the listener lives");
    }

    async fn connect(place: Place) -> Self {
        Self(EchoClient::connect(place.text()).await.expect("a server listens"))
    }

    async fn small(&mut self, value: Small) -> Small {
        self.0.small(value).await.expect("an echo")
    }

    async fn bytes(&mut self, body: Bytes) -> usize {
        self.0.bytes(body).await.expect("an echo").len()
    }

    async fn vec(&mut self, body: Vec<u8>) -> Vec<u8> {
        self.0.vec(body).await.expect("an echo")
    }

    async fn stream(&mut self, items: u64) -> u64 {
        let mut stream = self.0.stream(items).await.expect("a stream");
        let mut count = 0;
        while let Some(item) = stream.next().await {
            assert_eq!(item.expect("an item"), [count; 8]);
            count += 1;
        }
        count
    }

    async fn leave_waiting(&mut self, calls: u64) {
        for _ in 0..calls {
            let client = self.0.clone();
            tokio::spawn(async move { client.wait().await });
        }
        while self.0.waiting().await.expect("an answer") < calls {
            tokio::task::yield_now().await;
        }
    }
}
