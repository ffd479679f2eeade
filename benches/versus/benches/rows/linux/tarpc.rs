//! tarpc over a Unix socket with bincode, as its documentation has it: each request runs in a task of its own.
//!
//! Its frames are 8 MiB at most unless told otherwise; here they may be of any size. `Bytes` is what bincode passes as
//! a block; a `Vec<u8>` it takes byte by byte.

use bytes::Bytes;
use futures_util::StreamExt;
use tarpc::client;
use tarpc::context::{self, Context};
use tarpc::serde_transport::unix;
use tarpc::server::{BaseChannel, Channel};
use tarpc::tokio_serde::formats::Bincode;

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
    const HAS: &'static [Workload] = &Workload::ALL;

    async fn serve(serving: Serving) {
        let listening = unix::listen(serving.job.place.path(), Bincode::default);
        let mut listener = listening.await.expect("the path is free");
        listener.config_mut().max_frame_length(usize::MAX);
        serving.ready.tell();
        while let Some(transport) = listener.next().await {
            let channel = BaseChannel::with_defaults(transport.expect("a client"));
            let requests = channel.execute(Echoer.serve());
            tokio::spawn(requests.for_each(|request| async {
                tokio::spawn(request);
            }));
        }
    }

    async fn connect(place: Place) -> Self {
        let mut connecting = unix::connect(place.path(), Bincode::default);
        connecting.config_mut().max_frame_length(usize::MAX);
        let transport = connecting.await.expect("a server listens");
        Self(EchoClient::new(client::Config::default(), transport).spawn())
    }

    async fn small(&mut self, value: Small) -> Small {
        self.0.small(context::current(), value).await.expect("an echo")
    }

    async fn bytes(&mut self, body: Bytes) -> usize {
        self.0
            .bytes(context::current(), body)
            .await
            .expect("an echo")
            .len()
    }

    async fn vec(&mut self, body: Vec<u8>) -> Vec<u8> {
        self.0.vec(context::current(), body).await.expect("an echo")
    }
}
