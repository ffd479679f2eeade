//! Servers in memory: how long they last, and what they say when they cannot serve.

mod support;

use std::sync::Arc;

use bytes::Bytes;
use pipe_rpc_core::client::{Channel, Stub};
use pipe_rpc_core::connection::Config;
use pipe_rpc_core::message::Request;
use pipe_rpc_core::method::Method;
use pipe_rpc_core::server::{Mount, Reply, Server};
use pipe_rpc_core::testing::{connect, serve};
use support::service::{ECHO, Probe, method};
use tokio::sync::oneshot;

async fn assert_serves(channel: &Channel) {
    let stub = Stub::new(channel.clone(), "Probe");
    let echo = stub.call::<_, Bytes>(method(ECHO), Bytes::from_static(b"still here"), None);
    assert_eq!(echo.await.unwrap(), Bytes::from_static(b"still here"));
}

/// A service that nobody calls, and that is dropped with its server.
struct Idle(#[expect(dead_code, reason = "it is dropped")] Option<Arc<oneshot::Sender<()>>>);

impl Mount for Idle {
    fn name(&self) -> &'static str {
        "Idle"
    }
    fn methods(&self) -> &'static [Method] {
        &[]
    }
    fn call(&self, _: usize, _: Request) -> Reply {
        Box::pin(std::future::pending())
    }
}

#[tokio::test]
async fn a_client_of_a_server_in_memory_is_one_line() {
    assert_serves(&connect(Server::builder().service(Probe::default())).await).await;
}

#[tokio::test]
async fn a_server_lasts_as_long_as_its_connections_and_ends_then() {
    let (held, gone) = oneshot::channel();
    let server = Server::builder()
        .service(Probe::default())
        .service(Idle(Some(Arc::new(held))));
    let connector = serve(server);
    let [one, other] = [
        connector.connect().await.unwrap(),
        connector.connect().await.unwrap(),
    ];
    drop(connector);
    let one = Channel::open(one, &Config::default()).await.unwrap();
    let other = Channel::open(other, &Config::default()).await.unwrap();
    assert_serves(&one).await;
    drop(one);
    assert_serves(&other).await;
    drop(other);
    gone.await.unwrap_err();
}

#[tokio::test]
async fn a_server_that_cannot_serve_says_why() {
    let twice = Server::builder().service(Idle(None)).service(Idle(None));
    let panic = tokio::spawn(connect(twice)).await.unwrap_err().into_panic();
    let text = panic.downcast::<String>().unwrap();
    assert!(
        text.starts_with("the server cannot serve: two services are mounted as \"Idle\""),
        "{text}"
    );
}
