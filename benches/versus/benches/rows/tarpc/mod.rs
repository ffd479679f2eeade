//! tarpc with bincode, over a Unix socket or tokio's named pipe, as its documentation has it: each request runs in a task
//! of its own.
//!
//! Its frames are 8 MiB at most unless told otherwise; here they may be of any size. `Bytes` is what bincode passes as
//! a block; a `Vec<u8>` it takes byte by byte.

#[cfg(unix)]
mod unix;
#[cfg(windows)]
mod windows;

use std::time::Duration;

use bytes::Bytes;
use futures_util::StreamExt;
use serde::Serialize;
use serde::de::DeserializeOwned;
use tarpc::client;
use tarpc::context::{self, Context};
use tarpc::serde_transport::{self, Transport};
use tarpc::server::{BaseChannel, Channel};
use tarpc::tokio_serde::formats::Bincode;
use tarpc::tokio_util::codec::LengthDelimitedCodec;
use tokio::io::{AsyncRead, AsyncWrite};
#[cfg(unix)]
use unix as pipe;
#[cfg(windows)]
use windows as pipe;

use crate::place::Place;
use crate::row::{Row, Small};
use crate::server::Serving;
use crate::workload::Workload;

#[tarpc::service]
trait Echo {
    async fn small(value: [u64; 8]) -> [u64; 8];
    async fn bytes(body: Bytes) -> Bytes;
    async fn vec(body: Vec<u8>) -> Vec<u8>;
}

#[derive(Clone)]
struct Echoer;

impl Echo for Echoer {
    async fn small(self, _: Context, value: [u64; 8]) -> [u64; 8] {
        value
    }
    async fn bytes(self, _: Context, body: Bytes) -> Bytes {
        body
    }
    async fn vec(self, _: Context, body: Vec<u8>) -> Vec<u8> {
        body
    }
}

#[derive(Clone)]
pub(crate) struct Tarpc(EchoClient);

impl Row for Tarpc {
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
        let mut listener = pipe::Listener::bind(&serving.job.place).expect("the path is free");
        serving.ready.tell();
        loop {
            let stream = listener.accept().await.expect("the listener lives");
            let channel = BaseChannel::with_defaults(transport(stream));
            let requests = channel.execute(Echoer.serve());
            tokio::spawn(requests.for_each(|request| async {
                tokio::spawn(request);
            }));
        }
    }

    async fn connect(place: Place) -> Self {
        let stream = pipe::connect(&place).await.expect("a server listens");
        Self(EchoClient::new(client::Config::default(), transport(stream)).spawn())
    }

    async fn small(&mut self, value: Small) -> Small {
        self.0.small(context::current(), value).await.expect("an echo")
    }

    async fn bytes(&mut self, body: Bytes) -> usize {
        self.0.bytes(patient(), body).await.expect("an echo").len()
    }

    async fn vec(&mut self, body: Vec<u8>) -> Vec<u8> {
        self.0.vec(patient(), body).await.expect("an echo")
    }
}

/// Waits longer than the usual 10 s: under Wine a 64 MiB body takes its time.
fn patient() -> Context {
    let mut context = context::current();
    context.deadline += Duration::from_mins(10);
    context
}

/// What `tarpc::serde_transport::unix` makes as well.
fn transport<S, Item, SinkItem>(stream: S) -> Transport<S, Item, SinkItem, Bincode<Item, SinkItem>>
where
    S: AsyncRead + AsyncWrite,
    Item: DeserializeOwned,
    SinkItem: Serialize,
{
    let framed = LengthDelimitedCodec::builder()
        .max_frame_length(usize::MAX)
        .new_framed(stream);
    serde_transport::new(framed, Bincode::default())
}
