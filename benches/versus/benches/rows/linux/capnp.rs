//! capnp-rpc over a Unix socket, as its examples have it: with buffers between it and the socket.
//!
//! All of it stays in one thread, so its processes have one in every setting, and what it gives is wrapped for the
//! workloads, which want what can be sent. Bodies are `Data`, which is read where it was received; only who wants a
//! `Vec<u8>` copies it. How much a reader may see of a message is limited unless told otherwise; here it is not.

use std::rc::Rc;

use bytes::Bytes;
use capnp::message::ReaderOptions;
use capnp_rpc::rpc_twoparty_capnp::Side;
use capnp_rpc::{RpcSystem, twoparty};
use futures_util::io::{AsyncReadExt, BufReader, BufWriter};
use send_wrapper::SendWrapper;
use tokio::net::{UnixListener, UnixStream};
use tokio::runtime::Runtime;
use tokio_util::compat::TokioAsyncReadCompatExt;

use crate::place::Place;
use crate::row::{Row, Small, from_bytes, to_bytes};
use crate::rows::Entry;
use crate::server::Serving;
use crate::setting::Setting;
use crate::workload::Workload;

use echo_capnp::echo;

/// What `build.rs` makes.
#[allow(
    clippy::all,
    clippy::pedantic,
    unreachable_pub,
    unused_qualifications,
    reason = "it is generated"
)]
mod echo_capnp {
    include!(concat!(env!("OUT_DIR"), "/echo_capnp.rs"));
}

pub(super) const ENTRY: Entry = Entry::of::<Capnp>("capnp");

struct Echoer;

impl echo::Server for Echoer {
    async fn bytes(
        self: Rc<Self>,
        params: echo::BytesParams,
        mut results: echo::BytesResults,
    ) -> capnp::Result<()> {
        results.get().set_body(params.get()?.get_body()?);
        Ok(())
    }
}

#[derive(Clone)]
struct Capnp(SendWrapper<echo::Client>);

impl Capnp {
    /// Has the answer's body read in its place.
    fn echo<T>(&self, body: &[u8], read: fn(&[u8]) -> T) -> impl Future<Output = T> + Send {
        let mut request = self.0.bytes_request();
        request.get().set_body(body);
        SendWrapper::new(async move {
            let response = request.send().promise.await.expect("an echo");
            let results = response.get().expect("an answer");
            read(results.get_body().expect("a body"))
        })
    }
}

impl Row for Capnp {
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

    fn runtime(_: Setting) -> Runtime {
        Setting::Free.runtime()
    }

    async fn serve(serving: Serving) {
        let listener = UnixListener::bind(serving.job.place.path()).expect("the path is free");
        let echo: echo::Client = capnp_rpc::new_client(Echoer);
        serving.ready.tell();
        loop {
            let (stream, _) = listener.accept().await.expect("the listener lives");
            let network = network(stream, Side::Server);
            let system = RpcSystem::new(Box::new(network), Some(echo.clone().client));
            tokio::spawn(SendWrapper::new(system));
        }
    }

    async fn connect(place: Place) -> Self {
        let stream = UnixStream::connect(place.path()).await.expect("a server listens");
        let mut system = RpcSystem::new(Box::new(network(stream, Side::Client)), None);
        let echo = system.bootstrap(Side::Server);
        tokio::spawn(SendWrapper::new(system));
        Self(SendWrapper::new(echo))
    }

    async fn small(&mut self, value: Small) -> Small {
        self.echo(&to_bytes(value), from_bytes).await
    }

    async fn bytes(&mut self, body: Bytes) -> usize {
        self.echo(&body, <[u8]>::len).await
    }

    async fn vec(&mut self, body: Vec<u8>) -> Vec<u8> {
        self.echo(&body, <[u8]>::to_vec).await
    }
}

type Network =
    twoparty::VatNetwork<BufReader<futures_util::io::ReadHalf<tokio_util::compat::Compat<UnixStream>>>>;

fn network(stream: UnixStream, side: Side) -> Network {
    let (from, to) = stream.compat().split();
    let options = *ReaderOptions::new().traversal_limit_in_words(None);
    twoparty::VatNetwork::new(BufReader::new(from), BufWriter::new(to), side, options)
}
