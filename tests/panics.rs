//! A panic, wherever it is, ends its own call; the caller is told, and all else goes on.

#[expect(unreachable_pub, dead_code, reason = "each test file uses a part")]
mod support;

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::task::{Context, Poll};

use pipe_rpc::{Fault, Outcome, PipeServer, Reason, Request, Server};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use support::lab::{LabServer, Laboratory, Served, all_is_well, serve_few, start};
use support::{Gauge, LabClient, soon, unique_name};
use tower::Service;

const FEW: usize = 4;

fn told(fault: &Fault) -> (Outcome, Reason, &str) {
    (
        fault.outcome(),
        fault.reason(),
        fault.detail().unwrap_or_default(),
    )
}

#[tokio::test]
async fn a_panic_of_a_handler_ends_its_call_alone() {
    let lab = serve_few("panic-handler", FEW as u32);
    let client = lab.client().await;
    let other = start(&client, |client| async move { client.hold().await });
    lab.gauge.until_running(1).await;
    for _ in 0..2 * FEW {
        let fault = soon(client.panic()).await.unwrap_err();
        assert_eq!(told(&fault), (Outcome::Ran, Reason::Panicked, "on purpose"));
    }
    let later = start(&client, |client| async move { client.panic_later().await });
    lab.gauge.until_running(2).await;
    lab.gauge.release();
    let fault = soon(later).await.unwrap().unwrap_err();
    assert_eq!(
        told(&fault),
        (Outcome::Ran, Reason::Panicked, "later, on purpose")
    );
    assert_eq!(soon(other).await.unwrap(), Ok(42));
    all_is_well(&client, &lab.gauge, FEW).await;
}

#[tokio::test]
async fn a_panic_in_the_drop_of_a_cancelled_handler_frees_its_call() {
    let lab = serve_few("panic-drop", FEW as u32);
    let client = lab.client().await;
    for call in 1..=2 * FEW {
        let cancelled = start(&client, |client| async move { client.panic_in_drop().await });
        lab.gauge.until_begun(call).await;
        cancelled.abort();
        lab.gauge.until_running(0).await;
    }
    all_is_well(&client, &lab.gauge, FEW).await;
}

/// A value that may panic in its Serialize or its Deserialize.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Touchy {
    Fine,
    PanicsWhenRead,
    PanicsWhenWritten,
}

impl Serialize for Touchy {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        assert_ne!(*self, Self::PanicsWhenWritten, "written, on purpose");
        serializer.serialize_u8(*self as u8)
    }
}

impl<'de> Deserialize<'de> for Touchy {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match u8::deserialize(deserializer)? {
            0 => Ok(Self::Fine),
            _ => panic!("read, on purpose"),
        }
    }
}

#[pipe_rpc::service]
trait Values {
    async fn take(&self, value: Touchy) -> u32;
    async fn give_unwritable(&self) -> Touchy;
    async fn give_unreadable(&self) -> Touchy;
    async fn fail_unwritable(&self) -> Result<u32, Touchy>;
}

struct Valuer;

impl Values for Valuer {
    async fn take(&self, _value: Touchy) -> u32 {
        42
    }
    async fn give_unwritable(&self) -> Touchy {
        Touchy::PanicsWhenWritten
    }
    async fn give_unreadable(&self) -> Touchy {
        Touchy::PanicsWhenRead
    }
    async fn fail_unwritable(&self) -> Result<u32, Touchy> {
        Err(Touchy::PanicsWhenWritten)
    }
}

#[tokio::test]
async fn a_panic_of_serialize_or_deserialize_ends_its_call_alone_at_either_end() {
    let name = unique_name("panic-values");
    let server = Server::builder().service(ValuesServer::new(Valuer)).max_calls(2);
    tokio::spawn(server.serve(PipeServer::bind(name.as_str()).unwrap()));
    let client = ValuesClient::connect(name).await.unwrap();
    let (read, written) = (
        "its Deserialize panicked: read, on purpose",
        "its Serialize panicked: assertion `left != right` failed: written, on purpose",
    );
    for _ in 0..5 {
        let fault = soon(client.take(Touchy::PanicsWhenWritten)).await.unwrap_err();
        assert_eq!(
            (fault.outcome(), fault.reason()),
            (Outcome::NotSent, Reason::Encode)
        );
        assert!(fault.detail().unwrap().starts_with(written), "{fault}");

        let fault = soon(client.take(Touchy::PanicsWhenRead)).await.unwrap_err();
        assert_eq!(told(&fault), (Outcome::Refused, Reason::Decode, read));

        let fault = soon(client.give_unwritable()).await.unwrap_err();
        assert_eq!((fault.outcome(), fault.reason()), (Outcome::Ran, Reason::Encode));
        assert!(fault.detail().unwrap().starts_with(written), "{fault}");

        let fault = soon(client.give_unreadable()).await.unwrap_err();
        assert_eq!(told(&fault), (Outcome::Ran, Reason::Decode, read));

        let error = soon(client.fail_unwritable()).await.unwrap_err();
        let fault = error.fault().unwrap();
        assert_eq!((fault.outcome(), fault.reason()), (Outcome::Ran, Reason::Encode));

        assert_eq!(soon(client.take(Touchy::Fine)).await, Ok(42));
    }
}

/// Where a layer is to panic next.
#[derive(Clone, Default)]
struct Traps {
    poll_ready: Arc<AtomicBool>,
    call: Arc<AtomicBool>,
    before: Arc<AtomicBool>,
    after: Arc<AtomicBool>,
}

fn spring(trap: &AtomicBool, place: &str) {
    assert!(!trap.swap(false, SeqCst), "in {place}, on purpose");
}

#[derive(Clone)]
struct Trapped<S> {
    inner: S,
    traps: Traps,
}

impl<S> Service<Request> for Trapped<S>
where
    S: Service<Request, Future: Send + 'static>,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = Pin<Box<dyn Future<Output = Result<S::Response, S::Error>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        spring(&self.traps.poll_ready, "poll_ready");
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request) -> Self::Future {
        spring(&self.traps.call, "call");
        let (called, traps) = (self.inner.call(request), self.traps.clone());
        Box::pin(async move {
            spring(&traps.before, "the future before the method");
            let result = called.await;
            spring(&traps.after, "the future after the method");
            result
        })
    }
}

async fn trapped_lab() -> (Served, LabClient, Traps) {
    let (name, gauge, traps) = (unique_name("panic-layer"), Gauge::default(), Traps::default());
    let service = LabServer::new(Laboratory(gauge.clone()));
    let layer = {
        let traps = traps.clone();
        tower::layer::layer_fn(move |inner| Trapped {
            inner,
            traps: traps.clone(),
        })
    };
    let server = Server::builder()
        .service(service)
        .layer(layer)
        .max_calls(FEW as u32);
    tokio::spawn(server.serve(PipeServer::bind(name.as_str()).unwrap()));
    let lab = Served { name, gauge };
    let client = lab.client().await;
    (lab, client, traps)
}

#[tokio::test]
async fn a_panic_of_a_layer_ends_its_call_alone_and_tells_whether_the_method_was_entered() {
    let (lab, client, traps) = trapped_lab().await;
    let other = start(&client, |client| async move { client.hold().await });
    lab.gauge.until_running(1).await;
    let (refused, ran) = (
        (Outcome::Refused, Reason::Layer),
        (Outcome::Ran, Reason::Panicked),
    );
    let cases = [
        (
            &traps.poll_ready,
            refused,
            "it panicked: in poll_ready, on purpose",
        ),
        (&traps.call, refused, "it panicked: in call, on purpose"),
        (
            &traps.before,
            refused,
            "it panicked: in the future before the method, on purpose",
        ),
        (&traps.after, ran, "in the future after the method, on purpose"),
    ];
    for _ in 0..FEW {
        for (trap, (outcome, reason), text) in cases {
            trap.store(true, SeqCst);
            let fault = soon(client.take(vec![7; 10].into())).await.unwrap_err();
            assert_eq!(told(&fault), (outcome, reason, text));
        }
    }
    assert_eq!(lab.gauge.begun(), 1 + FEW);
    lab.gauge.release();
    assert_eq!(soon(other).await.unwrap(), Ok(42));
    all_is_well(&client, &lab.gauge, FEW).await;
}
