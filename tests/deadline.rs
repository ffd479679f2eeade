//! A deadline holds wherever the call is, at both ends, and for the calls that its handler makes.

#[expect(unreachable_pub, dead_code, reason = "each test file uses a part")]
mod support;

use std::time::Duration;

use pipe_rpc::{Channel, Config, Fault, Outcome, PipeServer, Reason, Server};
use rpc_core::testing::Faults;
use support::lab::{Served, all_is_well, serve, serve_few, serve_with, start};
use support::{LabClient, link, soon, unique_name};
use tower::limit::GlobalConcurrencyLimitLayer;

/// Soon over, and long enough for a call to begin.
const SHORT: Duration = Duration::from_millis(50);

fn ended(fault: &Fault) -> (Outcome, Reason) {
    (fault.outcome(), fault.reason())
}

/// A client that waits for ever, and tells the server that it waits for a short time only: so what the server makes of
/// the deadline is seen, and not what the client makes of it.
async fn patient_client(lab: &Served) -> LabClient {
    // PROTOCOL.md sections 4 and 6: the kind of a request, and where the remaining time is.
    let shorten = |packet: &mut Vec<u8>| {
        if packet.starts_with(b"pipe-rpc") || packet[4] != 1 {
            return;
        }
        let micros = u64::try_from(SHORT.as_micros()).unwrap();
        packet[32..40].copy_from_slice(&micros.to_le_bytes());
    };
    let (link, _) = Faults::new()
        .change(shorten)
        .outgoing(link::connect(&lab.name).await);
    LabClient::new(Channel::open(link, &Config::default()).await.unwrap())
}

#[tokio::test]
async fn a_call_whose_deadline_passes_before_dispatch_is_refused_and_never_runs() {
    let lab = serve_with("deadline-queue", |server| server.max_running(1));
    let client = lab.client().await;
    let running = start(&client, |client| async move { client.hold().await });
    lab.gauge.until_running(1).await;
    let patient = patient_client(&lab).await;
    let fault = soon(patient.hold()).await.unwrap_err();
    assert_eq!(ended(&fault), (Outcome::Refused, Reason::DeadlineExceeded));
    lab.gauge.release();
    assert_eq!(soon(running).await.unwrap(), Ok(42));
    assert_eq!(lab.gauge.begun(), 1);
}

#[tokio::test]
async fn a_call_whose_deadline_passes_in_a_layers_line_is_refused_and_never_runs() {
    let name = unique_name("deadline-layer");
    let gauge = support::Gauge::default();
    let service = support::lab::LabServer::new(support::lab::Laboratory(gauge.clone()));
    let server = Server::builder()
        .service(service)
        .layer(GlobalConcurrencyLimitLayer::new(1));
    tokio::spawn(server.serve(PipeServer::bind(name.as_str()).unwrap()));
    let lab = Served { name, gauge };
    let client = lab.client().await;
    let running = start(&client, |client| async move { client.hold().await });
    lab.gauge.until_running(1).await;
    let fault = soon(patient_client(&lab).await.hold()).await.unwrap_err();
    assert_eq!(ended(&fault), (Outcome::Refused, Reason::DeadlineExceeded));
    lab.gauge.release();
    assert_eq!(soon(running).await.unwrap(), Ok(42));
    assert_eq!(lab.gauge.begun(), 1);
}

#[tokio::test]
async fn a_handler_is_dropped_at_its_deadline_and_its_caller_told() {
    let lab = serve("deadline-running");
    let fault = soon(patient_client(&lab).await.hold()).await.unwrap_err();
    assert_eq!(ended(&fault), (Outcome::MayHaveRun, Reason::DeadlineExceeded));
    lab.gauge.until_running(0).await;
    assert_eq!(lab.gauge.begun(), 1);
}

#[tokio::test]
async fn a_caller_stops_waiting_at_its_deadline_and_the_handler_is_dropped() {
    let lab = serve_few("deadline-caller", 4);
    let client = lab.client().await;
    for _ in 0..10 {
        let fault = soon(client.clone().with_timeout(SHORT).hold()).await.unwrap_err();
        assert_eq!(ended(&fault), (Outcome::MayHaveRun, Reason::DeadlineExceeded));
    }
    all_is_well(&client, &lab.gauge, 4).await;
}

#[tokio::test]
async fn a_deadline_that_passes_while_the_caller_waits_for_credit_sends_nothing() {
    let lab = serve_few("deadline-credit", 1);
    let client = lab.client().await;
    let holding = start(&client, |client| async move { client.hold().await });
    lab.gauge.until_running(1).await;
    let fault = soon(client.clone().with_timeout(SHORT).hold()).await.unwrap_err();
    assert_eq!(ended(&fault), (Outcome::NotSent, Reason::DeadlineExceeded));
    lab.gauge.release();
    assert_eq!(soon(holding).await.unwrap(), Ok(42));
    assert_eq!(lab.gauge.begun(), 1);
    all_is_well(&client, &lab.gauge, 1).await;
}

#[tokio::test]
async fn a_deadline_that_passes_while_a_body_waits_for_the_window_sends_nothing() {
    let lab = serve_with("deadline-window", |server| server.window(1).max_running(1));
    let client = lab.client().await;
    let holding = start(&client, |client| async move { client.hold().await });
    lab.gauge.until_running(1).await;
    let large = || bytes::Bytes::from(vec![7; 200_000]);
    let charged = start(&client, move |client| async move { client.take(large()).await });
    tokio::task::yield_now().await;
    let fault = soon(client.clone().with_timeout(SHORT).take(large()))
        .await
        .unwrap_err();
    assert_eq!(ended(&fault), (Outcome::NotSent, Reason::DeadlineExceeded));
    lab.gauge.release();
    assert_eq!(soon(holding).await.unwrap(), Ok(42));
    assert_eq!(soon(charged).await.unwrap(), Ok(200_000));
    assert_eq!(soon(client.take(large())).await, Ok(200_000));
}

/// Passes its calls on to a lab over a connection of its own.
#[pipe_rpc::service]
trait Relay {
    async fn remaining(&self) -> Option<u64>;
    async fn hold(&self) -> Result<u32, String>;
}

struct Relaying(LabClient);

impl Relay for Relaying {
    async fn remaining(&self) -> Option<u64> {
        self.0.remaining().await.unwrap()
    }
    async fn hold(&self) -> Result<u32, String> {
        self.0.hold().await.map_err(|fault| fault.to_string())
    }
}

async fn relay(lab: &Served) -> RelayClient {
    let name = unique_name("deadline-relay");
    let server = Server::builder().service(RelayServer::new(Relaying(lab.client().await)));
    tokio::spawn(server.serve(PipeServer::bind(name.as_str()).unwrap()));
    RelayClient::connect(name).await.unwrap()
}

#[tokio::test]
async fn a_handlers_calls_inherit_its_deadline() {
    let lab = serve("deadline-inherit");
    let relay = relay(&lab).await;
    assert_eq!(soon(relay.remaining()).await.unwrap(), None);
    let hour = Duration::from_secs(3600);
    let left = soon(relay.clone().with_timeout(hour).remaining()).await.unwrap();
    let left = Duration::from_micros(left.unwrap());
    assert!(left <= hour && left > hour / 2, "{left:?}");
}

#[tokio::test]
async fn a_deadline_ends_the_handlers_all_the_way_down() {
    let lab = serve("deadline-chain");
    let relay = relay(&lab).await;
    let call = tokio::spawn({
        let relay = relay.clone().with_timeout(Duration::from_millis(200));
        async move { relay.hold().await }
    });
    let ended = soon(call).await.unwrap().unwrap_err();
    assert_eq!(ended.fault().unwrap().reason(), Reason::DeadlineExceeded);
    lab.gauge.until_running(0).await;
    assert_eq!(lab.gauge.begun(), 1);
    assert_eq!(soon(relay.remaining()).await.unwrap(), None);
}
