//! tonic over a Unix socket with prost's messages, through its own `Channel` and `Server`.
//!
//! Bodies are `Bytes`, which prost takes out of what was received without a copy. Messages are 4 MiB at most unless told
//! otherwise; here they may be of any size. HTTP/2's windows and frames are small by default, so that a large body waits
//! for its receiver again and again: here a window has room for the largest body, and a frame has the size that was found
//! best. That halves the processor time of `bulk1m`, and changes nothing for small calls.

use bytes::Bytes;
use futures_util::StreamExt;
use futures_util::stream::{self, BoxStream};
use prost::Message;
use tokio::net::UnixListener;
use tokio_stream::wrappers::UnixListenerStream;
use tonic::transport::{Channel, Endpoint, Server};
use tonic::{Request, Response, Status};

use crate::place::Place;
use crate::row::{Row, Small, from_bytes, to_bytes};
use crate::server::Serving;
use crate::workload::Workload;

use generated::echo_client::EchoClient;
use generated::echo_server::{Echo, EchoServer};

/// More than the largest body.
const WINDOW: u32 = 128 << 20;

/// Smaller ones cost more each, and larger ones wait longer until they are whole.
const FRAME: u32 = 512 << 10;

/// What `build.rs` makes.
#[expect(unreachable_pub, unused_qualifications, reason = "it is generated")]
mod generated {
    tonic::include_proto!("versus.Echo");
}

#[derive(Clone, PartialEq, Message)]
pub(crate) struct Block {
    #[prost(bytes = "bytes", tag = "1")]
    body: Bytes,
}

#[derive(Clone, PartialEq, Message)]
pub(crate) struct Owned {
    #[prost(bytes = "vec", tag = "1")]
    body: Vec<u8>,
}

#[derive(Clone, PartialEq, Message)]
pub(crate) struct Count {
    #[prost(uint64, tag = "1")]
    items: u64,
}

impl Block {
    fn small(value: Small) -> Self {
        let body = Bytes::copy_from_slice(&to_bytes(value));
        Self { body }
    }
}

struct Echoer;

#[tonic::async_trait]
impl Echo for Echoer {
    type ItemsStream = BoxStream<'static, Result<Block, Status>>;

    async fn bytes(&self, request: Request<Block>) -> Result<Response<Block>, Status> {
        Ok(Response::new(request.into_inner()))
    }
    async fn vec(&self, request: Request<Owned>) -> Result<Response<Owned>, Status> {
        Ok(Response::new(request.into_inner()))
    }
    async fn items(&self, request: Request<Count>) -> Result<Response<Self::ItemsStream>, Status> {
        let items = 0..request.into_inner().items;
        let blocks = stream::iter(items.map(|item| Ok(Block::small([item; 8]))));
        Ok(Response::new(blocks.boxed()))
    }
}

#[derive(Clone)]
pub(crate) struct Tonic(EchoClient<Channel>);

impl Row for Tonic {
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
        let echo = EchoServer::new(Echoer).max_decoding_message_size(usize::MAX);
        let server = Server::builder()
            .initial_stream_window_size(WINDOW)
            .initial_connection_window_size(WINDOW)
            .max_frame_size(FRAME)
            .add_service(echo);
        serving.ready.tell();
        let serving = server.serve_with_incoming(UnixListenerStream::new(listener));
        serving.await.expect("the listener lives");
    }

    async fn connect(place: Place) -> Self {
        let address = format!("unix://{}", place.text());
        let endpoint = Endpoint::from_shared(address)
            .expect("a path")
            .initial_stream_window_size(WINDOW)
            .initial_connection_window_size(WINDOW)
            .max_frame_size(FRAME);
        let client = EchoClient::new(endpoint.connect().await.expect("a server listens"));
        Self(client.max_decoding_message_size(usize::MAX))
    }

    async fn small(&mut self, value: Small) -> Small {
        let echoed = self.0.bytes(Block::small(value)).await.expect("an echo");
        from_bytes(&echoed.into_inner().body)
    }

    async fn bytes(&mut self, body: Bytes) -> usize {
        let echoed = self.0.bytes(Block { body }).await.expect("an echo");
        echoed.into_inner().body.len()
    }

    async fn vec(&mut self, body: Vec<u8>) -> Vec<u8> {
        let echoed = self.0.vec(Owned { body }).await.expect("an echo");
        echoed.into_inner().body
    }

    async fn stream(&mut self, items: u64) -> u64 {
        let mut stream = self
            .0
            .items(Count { items })
            .await
            .expect("a stream")
            .into_inner();
        let mut count = 0;
        while let Some(item) = stream.message().await.expect("an item") {
            assert_eq!(from_bytes(&item.body), [count; 8]);
            count += 1;
        }
        count
    }
}
