//! remoc over a Unix socket: a remote trait whose server is shared, so that calls run side by side.
//!
//! `Bytes` is what its documentation recommends for large bodies; a `Vec<u8>` it takes byte by byte. Requests and answers
//! are 16 MiB at most unless told otherwise; here they may be of any size that is measured. Larger buffers, which its documentation
//! recommends where throughput is low, made no difference here, because they grow by themselves.

use std::sync::Arc;

use bytes::Bytes;
use remoc::prelude::*;
use remoc::rch::mpsc;
use remoc::rtc::{CallError, Client};
use tokio::net::{UnixListener, UnixStream};

use crate::place::Place;
use crate::row::{Row, Small};
use crate::server::Serving;
use crate::workload::Workload;

/// Eight times what it has by default: that takes a third off the processor time of `bulk1m`.
const CHUNK: u32 = 256 << 10;

/// More than the largest body and what is around it.
const LARGEST: usize = 65 << 20;

#[rtc::remote]
trait Echo {
    async fn small(&self, value: [u64; 8]) -> Result<[u64; 8], CallError>;
    async fn bytes(&self, body: Bytes) -> Result<Bytes, CallError>;
    async fn vec(&self, body: Vec<u8>) -> Result<Vec<u8>, CallError>;
    async fn items(&self, items: u64) -> Result<mpsc::Receiver<[u64; 8]>, CallError>;
}

struct Echoer;

impl Echo for Echoer {
    async fn small(&self, value: [u64; 8]) -> Result<[u64; 8], CallError> {
        Ok(value)
    }
    async fn bytes(&self, body: Bytes) -> Result<Bytes, CallError> {
        Ok(body)
    }
    async fn vec(&self, body: Vec<u8>) -> Result<Vec<u8>, CallError> {
        Ok(body)
    }
    async fn items(&self, items: u64) -> Result<mpsc::Receiver<[u64; 8]>, CallError> {
        let (to, receiver) = mpsc::channel();
        tokio::spawn(async move {
            for item in 0..items {
                if to.send([item; 8]).await.is_err() {
                    return;
                }
            }
        });
        Ok(receiver)
    }
}

#[derive(Clone)]
pub(crate) struct Remoc(EchoClient);

impl Row for Remoc {
    const HAS: &'static [Workload] = &[
        Workload::Rtt64,
        Workload::Pipe64,
        Workload::Bulk1m,
        Workload::Bulk64m,
        Workload::Vec1m,
        Workload::Stream64,
        Workload::Mixed,
        Workload::Conns,
        Workload::Connect,
    ];

    async fn serve(serving: Serving) {
        let listener = UnixListener::bind(serving.job.place.path()).expect("the path is free");
        serving.ready.tell();
        loop {
            let (stream, _) = listener.accept().await.expect("the listener lives");
            tokio::spawn(async {
                let (from, to) = stream.into_split();
                let (server, mut client) =
                    EchoServerShared::<_, remoc::codec::Default>::new(Arc::new(Echoer));
                client.set_max_request_size(LARGEST);
                let providing = remoc::Connect::io(configuration(), from, to).provide(client);
                providing.await.expect("a client");
                server.serve().await.expect("the client ends between calls");
            });
        }
    }

    async fn connect(place: Place) -> Self {
        let stream = UnixStream::connect(place.path()).await.expect("a server listens");
        let (from, to) = stream.into_split();
        let consuming = remoc::Connect::io(configuration(), from, to).consume();
        let mut client: EchoClient = consuming.await.expect("a server");
        client.set_max_response_size(LARGEST);
        Self(client)
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
        let mut stream = self.0.items(items).await.expect("a stream");
        let mut count = 0;
        while let Some(item) = stream.recv().await.expect("an item") {
            assert_eq!(item, [count; 8]);
            count += 1;
        }
        count
    }
}

fn configuration() -> remoc::Cfg {
    remoc::Cfg {
        chunk_size: CHUNK,
        ..remoc::Cfg::default()
    }
}
