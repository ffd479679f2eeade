//! ttrpc over a Unix socket: its asynchronous client and server, with rust-protobuf's messages, which is its default.
//!
//! Bodies are `Bytes`, which a message takes and gives away without a copy, also as a `Vec<u8>`. A message has 4 MiB at
//! most, and nothing raises that.

use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use ttrpc::asynchronous::{Client, Server, ServerStreamSender, TtrpcContext};
use ttrpc::context::Context;

use crate::place::Place;
use crate::row::{Row, Small, from_bytes, to_bytes};
use crate::server::Serving;
use crate::workload::Workload;

use generated::echo::{Block, Count};
use generated::echo_ttrpc::{Echo, EchoClient, create_echo};

/// What `build.rs` makes.
#[allow(
    clippy::all,
    clippy::pedantic,
    unreachable_pub,
    unused_qualifications,
    reason = "it is generated"
)]
mod generated {
    include!(concat!(env!("OUT_DIR"), "/ttrpc/mod.rs"));
}

struct Echoer;

#[async_trait]
impl Echo for Echoer {
    async fn bytes(&self, _: &TtrpcContext, block: Block) -> ttrpc::Result<Block> {
        Ok(block)
    }
    async fn items(
        &self,
        _: &TtrpcContext,
        count: Count,
        to: ServerStreamSender<Block>,
    ) -> ttrpc::Result<()> {
        for item in 0..count.items {
            to.send(&small_block([item; 8])).await?;
        }
        Ok(())
    }
}

#[derive(Clone)]
pub(crate) struct Ttrpc(EchoClient);

impl Ttrpc {
    async fn echo(&self, block: Block) -> Bytes {
        let echoed = self.0.bytes(Context::default(), &block).await;
        echoed.expect("an echo").body
    }
}

impl Row for Ttrpc {
    const HAS: &'static [Workload] = &[
        Workload::Rtt64,
        Workload::Pipe64,
        Workload::Bulk1m,
        Workload::Vec1m,
        Workload::Stream64,
        Workload::Conns,
        Workload::Connect,
    ];
    const LACKS: Option<&'static str> = Some("bulk64m and mixed: its messages have 4 MiB at most");

    async fn serve(serving: Serving) {
        let mut server = Server::new()
            .bind(&address(&serving.job.place))
            .expect("the path is free")
            .register_service(create_echo(Arc::new(Echoer)));
        server.start().await.expect("the listener lives");
        serving.ready.tell();
        std::future::pending::<()>().await;
    }

    async fn connect(place: Place) -> Self {
        let client = Client::connect(&address(&place)).await;
        Self(EchoClient::new(client.expect("a server listens")))
    }

    async fn small(&mut self, value: Small) -> Small {
        from_bytes(&self.echo(small_block(value)).await)
    }

    async fn bytes(&mut self, body: Bytes) -> usize {
        self.echo(block(body)).await.len()
    }

    async fn vec(&mut self, body: Vec<u8>) -> Vec<u8> {
        self.echo(block(body.into())).await.into()
    }

    async fn stream(&mut self, items: u64) -> u64 {
        let count = Count {
            items,
            ..Count::default()
        };
        let mut stream = self.0.items(Context::default(), &count).await.expect("a stream");
        let mut count = 0;
        while let Some(item) = stream.recv().await.expect("an item") {
            assert_eq!(from_bytes(&item.body), [count; 8]);
            count += 1;
        }
        count
    }
}

fn address(place: &Place) -> String {
    format!("unix://{}", place.text())
}

fn small_block(value: Small) -> Block {
    block(Bytes::copy_from_slice(&to_bytes(value)))
}

fn block(body: Bytes) -> Block {
    Block {
        body,
        ..Block::default()
    }
}
