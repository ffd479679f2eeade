//! Tower layers on both ends: their order, what they share, and what their failures tell.

#[expect(unreachable_pub, dead_code, reason = "each test file uses a part")]
mod support;

use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};
use std::time::Duration;

use pipe_rpc::{Fault, Outcome, PipeServer, Reason, Request, Server};
use support::lab::{LabServer, Laboratory, Served, serve, serve_few, start};
use support::{Gauge, LabClient, poll_once, soon, unique_name};
use tower::limit::ConcurrencyLimitLayer;
use tower::timeout::TimeoutLayer;
use tower::{Layer, Service, ServiceBuilder, buffer::BufferLayer};

const SHORT: Duration = Duration::from_millis(50);

fn told(fault: &Fault) -> (Outcome, Reason) {
    (fault.outcome(), fault.reason())
}

/// The names of the layers that calls went through.
type Log = Arc<Mutex<Vec<&'static str>>>;

/// A layer that logs its name with each call.
#[derive(Clone)]
struct Logged<S> {
    inner: S,
    name: &'static str,
    log: Log,
}

fn logged<S>(name: &'static str, log: &Log) -> impl Layer<S, Service = Logged<S>> + Clone + use<S> {
    let log = Arc::clone(log);
    tower::layer::layer_fn(move |inner| Logged {
        inner,
        name,
        log: Arc::clone(&log),
    })
}

impl<S: Service<Request>> Service<Request> for Logged<S> {
    type Response = S::Response;
    type Error = S::Error;
    type Future = S::Future;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request) -> S::Future {
        self.log.lock().unwrap().push(self.name);
        self.inner.call(request)
    }
}

/// Serves a lab through layers that `$server` names.
macro_rules! serve_through {
    ($test:expr, $server:ident => $layered:expr) => {{
        let (name, gauge) = (unique_name($test), Gauge::default());
        let $server = Server::builder().service(LabServer::new(Laboratory(gauge.clone())));
        tokio::spawn($layered.serve(PipeServer::bind(name.as_str()).unwrap()));
        Served { name, gauge }
    }};
}

#[tokio::test]
async fn the_first_layer_is_outermost_and_a_connections_layers_are_over_all() {
    let log = Log::default();
    let lab = serve_through!("layers-order", server => server
        .layer(logged("first", &log))
        .connection_layer(logged("connection's first", &log))
        .layer(logged("second", &log))
        .connection_layer(logged("connection's second", &log)));
    lab.client().await.echo("x".into()).await.unwrap();
    let order = ["connection's first", "connection's second", "first", "second"];
    assert_eq!(*log.lock().unwrap(), order);
}

/// Two calls on each of two connections.
async fn two_by_two(lab: &Served) -> Vec<tokio::task::JoinHandle<Result<u32, Fault>>> {
    let clients = [lab.client().await, lab.client().await];
    let twice = clients.iter().flat_map(|client| [client, client]);
    twice
        .map(|client| start(client, |client| async move { client.hold().await }))
        .collect()
}

#[tokio::test]
async fn a_servers_limit_counts_the_calls_of_all_connections() {
    let lab = serve_through!("layers-shared", server => server.layer(ConcurrencyLimitLayer::new(1)));
    let calls = two_by_two(&lab).await;
    lab.gauge.until_running(1).await;
    // What else could run would be answered before this.
    let other = lab.client().await;
    let mut waiting = Box::pin(other.echo("waits as well".into()));
    assert_eq!(poll_once(&mut waiting).await, None);
    assert_eq!(lab.gauge.begun(), 1);
    lab.gauge.release();
    assert_eq!(soon(waiting).await.unwrap(), "waits as well");
    for call in calls {
        assert_eq!(soon(call).await.unwrap(), Ok(42));
    }
}

#[tokio::test]
async fn a_connections_limit_counts_its_own_calls_only() {
    let lab = serve_through!("layers-each", server => server.connection_layer(ConcurrencyLimitLayer::new(1)));
    let calls = two_by_two(&lab).await;
    lab.gauge.until_running(2).await;
    assert_eq!(lab.gauge.begun(), 2);
    lab.gauge.release();
    for call in calls {
        assert_eq!(soon(call).await.unwrap(), Ok(42));
    }
}

#[tokio::test]
async fn a_servers_timeout_drops_the_handler_and_says_that_it_may_have_run() {
    let lab = serve_through!("layers-timeout", server => server.layer(TimeoutLayer::new(SHORT)));
    let client = lab.client().await;
    let fault = soon(client.hold()).await.unwrap_err();
    assert_eq!(told(&fault), (Outcome::MayHaveRun, Reason::DeadlineExceeded));
    lab.gauge.until_running(0).await;
    assert_eq!(client.echo("x".into()).await.unwrap(), "x");
}

#[tokio::test]
async fn a_timeout_while_the_call_lies_in_a_buffer_is_a_refusal_and_it_never_runs() {
    let lab = serve_through!("layers-buffer", server => server
        .layer(TimeoutLayer::new(SHORT))
        .layer(BufferLayer::new(16))
        .layer(ConcurrencyLimitLayer::new(1)));
    let client = lab.client().await;
    // It holds the one place until its own timeout; the other's begins with it, and ends in the buffer.
    let holding = start(&client, |client| async move { client.hold().await });
    lab.gauge.until_running(1).await;
    let queued: Vec<_> = (0..5)
        .map(|_| {
            start(
                &client,
                |client| async move { client.take(vec![7; 10].into()).await },
            )
        })
        .collect();
    let fault = soon(holding).await.unwrap().unwrap_err();
    assert_eq!(told(&fault), (Outcome::MayHaveRun, Reason::DeadlineExceeded));
    let (mut ran, mut refused) = (0, 0);
    for call in queued {
        match soon(call).await.unwrap() {
            Ok(_) => ran += 1,
            Err(fault) => {
                assert_eq!(told(&fault), (Outcome::Refused, Reason::DeadlineExceeded));
                refused += 1;
            }
        }
    }
    assert_eq!(soon(client.echo("x".into())).await.unwrap(), "x");
    assert_eq!((ran + refused, lab.gauge.begun()), (5, 1 + ran));
}

#[tokio::test]
async fn a_client_is_layered_as_a_server_is() {
    let lab = serve("layers-client");
    let stack = ServiceBuilder::new()
        .timeout(SHORT)
        .concurrency_limit(2)
        .service(lab.channel().await);
    let client = LabClient::new(stack);
    assert_eq!(client.echo("x".into()).await.unwrap(), "x");
    let faults = tokio::join!(client.hold(), client.hold());
    for fault in [faults.0.unwrap_err(), faults.1.unwrap_err()] {
        assert_eq!(told(&fault), (Outcome::MayHaveRun, Reason::DeadlineExceeded));
    }
    lab.gauge.until_running(0).await;
}

#[tokio::test]
async fn a_client_that_sheds_load_is_told_overloaded_and_sends_nothing() {
    let lab = serve_few("layers-shed", 1);
    let channel = lab.channel().await;
    let holding = start(&LabClient::new(channel.clone()), |client| async move {
        client.hold().await
    });
    lab.gauge.until_running(1).await;
    let shedding = LabClient::new(ServiceBuilder::new().load_shed().service(channel));
    for _ in 0..10 {
        let fault = soon(shedding.hold()).await.unwrap_err();
        assert_eq!(fault.reason(), Reason::Overloaded { retry_after: None });
    }
    lab.gauge.release();
    assert_eq!(soon(holding).await.unwrap(), Ok(42));
    assert_eq!(lab.gauge.begun(), 1);
    assert_eq!(soon(shedding.hold()).await, Ok(42));
}

#[tokio::test]
async fn a_buffer_over_a_channel_carries_the_calls_of_many() {
    let lab = serve_few("layers-client-buffer", 2);
    let buffered = ServiceBuilder::new().buffer(8).service(lab.channel().await);
    let client = LabClient::new(buffered);
    let calls: Vec<_> = (0..100)
        .map(|call| {
            let client = client.clone();
            tokio::spawn(async move { client.echo(call.to_string()).await.unwrap() == call.to_string() })
        })
        .collect();
    for call in calls {
        assert!(soon(call).await.unwrap());
    }
}
