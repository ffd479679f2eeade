//! pipe-rpc as it comes: generated client, no layers, nothing configured.

use bytes::Bytes;
use pipe_rpc::{PipeServer, Server};

use crate::place::Place;
use crate::row::{Row, Small};
use crate::server::Serving;
use crate::workload::Workload;

#[pipe_rpc::service]
trait Echo {
    async fn small(&self, value: [u64; 8]) -> [u64; 8];
    async fn bytes(&self, body: Bytes) -> Bytes;
    async fn vec(&self, body: Vec<u8>) -> Vec<u8>;
}

struct Echoer;

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
}

#[derive(Clone)]
pub(crate) struct PipeRpc(EchoClient);

impl Row for PipeRpc {
    const HAS: &'static [Workload] = &Workload::ALL;

    async fn serve(serving: Serving) {
        let listener = PipeServer::bind(serving.job.place.text()).expect("the name is free");
        let server = Server::builder().service(EchoServer::new(Echoer));
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
}
