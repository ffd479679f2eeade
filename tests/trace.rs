//! The spans of a call's two ends belong to one trace.
#![cfg(feature = "opentelemetry")]

use std::collections::HashMap;

use futures_util::stream::{self, Stream, StreamExt};
use opentelemetry::trace::{SpanId, SpanKind, Status, TracerProvider as _};
use opentelemetry::{Value, global};
use opentelemetry_sdk::propagation::TraceContextPropagator;
use opentelemetry_sdk::trace::{InMemorySpanExporter, SdkTracerProvider, SpanData};
use pipe_rpc::trace::{Trace, TraceLayer};
use pipe_rpc::{Channel, Context, Metadata, Server, Streaming};
use rpc_core::testing;
use tower::Layer as _;
use tracing::subscriber::DefaultGuard;
use tracing_subscriber::layer::SubscriberExt as _;

#[pipe_rpc::service]
trait Relay {
    /// Gives back what context came along.
    async fn context(&self, cx: &Context) -> Option<String>;
    /// Asks the next one, if there is one: the contexts that came along.
    async fn forward(&self, cx: &Context) -> Vec<Option<String>>;
    /// The numbers below `end`; the next one is asked before the first.
    async fn count(&self, end: u64) -> impl Stream<Item = u64>;
    async fn fail(&self) -> Result<u32, String>;
    async fn panic(&self) -> u32;
    async fn hold(&self) -> u32;
}

type Traced = RelayClient<Trace<Channel>>;

#[derive(Clone, Default)]
struct Relaying {
    next: Option<Traced>,
}

fn context(cx: &Context) -> Option<String> {
    let context = cx.metadata().get("traceparent")?;
    Some(String::from_utf8(context.to_vec()).unwrap())
}

impl Relay for Relaying {
    async fn context(&self, cx: &Context) -> Option<String> {
        context(cx)
    }
    async fn forward(&self, cx: &Context) -> Vec<Option<String>> {
        let mut contexts = vec![context(cx)];
        if let Some(next) = &self.next {
            // Not in place: the span is there after the handler has waited, too.
            tokio::task::yield_now().await;
            contexts.extend(next.forward().await.unwrap());
        }
        contexts
    }
    async fn count(&self, end: u64) -> impl Stream<Item = u64> {
        let next = self.next.clone();
        let asking = stream::once(async move {
            if let Some(next) = next {
                next.context().await.unwrap();
            }
            0
        });
        asking.chain(stream::iter(1..end))
    }
    async fn fail(&self) -> Result<u32, String> {
        Err("on purpose".into())
    }
    async fn panic(&self) -> u32 {
        panic!("on purpose")
    }
    async fn hold(&self) -> u32 {
        std::future::pending().await
    }
}

/// OpenTelemetry in this thread, where all of a test runs.
struct Telemetry {
    exporter: InMemorySpanExporter,
    _provider: SdkTracerProvider,
    _subscriber: DefaultGuard,
}

impl Telemetry {
    fn new() -> Self {
        global::set_text_map_propagator(TraceContextPropagator::new());
        let exporter = InMemorySpanExporter::default();
        let provider = SdkTracerProvider::builder()
            .with_simple_exporter(exporter.clone())
            .build();
        let layer = tracing_opentelemetry::layer().with_tracer(provider.tracer("test"));
        let subscriber = tracing_subscriber::registry().with(layer);
        Self {
            exporter,
            _provider: provider,
            _subscriber: tracing::subscriber::set_default(subscriber),
        }
    }

    /// The spans of calls that have ended, the inner ones first.
    async fn ended(&self, count: usize) -> Vec<SpanData> {
        loop {
            let spans = self.exporter.get_finished_spans().unwrap();
            let spans: Vec<_> = spans
                .into_iter()
                .filter(|span| attributes(span).contains_key("rpc.system"))
                .collect();
            if spans.len() >= count {
                return spans;
            }
            tokio::task::yield_now().await;
        }
    }
}

fn attributes(span: &SpanData) -> HashMap<String, String> {
    let text = |value: &Value| value.as_str().into_owned();
    let pairs = span.attributes.iter();
    pairs
        .map(|pair| (pair.key.to_string(), text(&pair.value)))
        .collect()
}

fn outcome(span: &SpanData) -> String {
    attributes(span)["rpc.outcome"].clone()
}

fn only(spans: &[SpanData], kind: SpanKind) -> &SpanData {
    let mut found = spans.iter().filter(|span| span.span_kind == kind);
    let span = found.next().unwrap();
    assert!(found.next().is_none(), "one of a kind");
    span
}

/// A client of a server in memory, both with the layer.
async fn traced(relaying: Relaying) -> Traced {
    let server = Server::builder()
        .service(RelayServer::new(relaying))
        .layer(TraceLayer::new());
    RelayClient::new(TraceLayer::new().layer(testing::connect(server).await))
}

#[tokio::test]
async fn the_clients_span_is_the_parent_of_the_servers() {
    let telemetry = Telemetry::new();
    let client = traced(Relaying::default()).await;
    let context = client.context().await.unwrap().unwrap();
    let spans = telemetry.ended(2).await;
    let (ours, theirs) = (only(&spans, SpanKind::Client), only(&spans, SpanKind::Server));
    assert_eq!(ours.parent_span_id, SpanId::INVALID);
    assert_eq!(theirs.parent_span_id, ours.span_context.span_id());
    assert_eq!(theirs.span_context.trace_id(), ours.span_context.trace_id());
    assert!(theirs.parent_span_is_remote);
    assert!(
        context.contains(&ours.span_context.span_id().to_string()),
        "{context}"
    );
    for span in [ours, theirs] {
        assert_eq!(span.name, "Relay/context");
        let attributes = attributes(span);
        let told = ["rpc.system", "rpc.service", "rpc.method", "rpc.outcome"].map(|key| &attributes[key][..]);
        assert_eq!(told, ["pipe-rpc", "Relay", "context", "ok"]);
    }
}

#[tokio::test]
async fn a_nested_call_belongs_to_the_same_trace() {
    let telemetry = Telemetry::new();
    let next = Some(traced(Relaying::default()).await);
    let client = traced(Relaying { next }).await;
    let contexts = client.forward().await.unwrap();
    assert_eq!(contexts.iter().flatten().count(), 2);
    assert_chain(&telemetry.ended(4).await);
}

#[tokio::test]
async fn what_a_stream_calls_belongs_to_the_same_trace() {
    let telemetry = Telemetry::new();
    let next = Some(traced(Relaying::default()).await);
    let client = traced(Relaying { next }).await;
    let numbers: Streaming<u64> = client.count(3).await.unwrap();
    assert_eq!(numbers.count().await, 3);
    assert_chain(&telemetry.ended(4).await);
}

/// Each is the parent of another, and all are of one trace and went well.
fn assert_chain(spans: &[SpanData]) {
    let mut parent = SpanId::INVALID;
    for _ in spans {
        let child = spans.iter().find(|span| span.parent_span_id == parent).unwrap();
        assert_eq!(child.span_context.trace_id(), spans[0].span_context.trace_id());
        assert_eq!(outcome(child), "ok");
        parent = child.span_context.span_id();
    }
}

#[tokio::test]
async fn the_spans_of_a_stream_last_as_long_as_it_does() {
    let telemetry = Telemetry::new();
    let client = traced(Relaying::default()).await;
    let mut numbers = client.count(u64::MAX).await.unwrap();
    assert_eq!(numbers.next().await.unwrap().unwrap(), 0);
    assert!(telemetry.exporter.get_finished_spans().unwrap().is_empty());
    drop(numbers);
    let spans = telemetry.ended(2).await;
    assert_eq!(
        spans.iter().map(outcome).collect::<Vec<_>>(),
        ["cancelled", "cancelled"]
    );
}

#[tokio::test]
async fn the_spans_say_how_a_call_ended() {
    let telemetry = Telemetry::new();
    let client = traced(Relaying::default()).await;
    assert!(client.fail().await.is_err());
    let spans = telemetry.ended(2).await;
    assert_eq!(
        spans.iter().map(outcome).collect::<Vec<_>>(),
        ["failed", "failed"]
    );

    telemetry.exporter.reset();
    assert!(client.panic().await.is_err());
    let spans = telemetry.ended(2).await;
    let ours = only(&spans, SpanKind::Client);
    assert_eq!(
        (outcome(ours), &attributes(ours)["rpc.reason"][..]),
        ("ran".into(), "Panicked")
    );
    assert!(matches!(&ours.status, Status::Error { description } if description.contains("on purpose")));

    telemetry.exporter.reset();
    let client = client.with_timeout(std::time::Duration::from_millis(20));
    assert!(client.hold().await.is_err());
    let spans = telemetry.ended(2).await;
    assert_eq!(outcome(only(&spans, SpanKind::Server)), "cancelled");
}

#[tokio::test]
async fn a_context_that_has_no_room_is_left_out() {
    let telemetry = Telemetry::new();
    let mut full = Metadata::new();
    full.insert("much", vec![7; Metadata::MAX_SIZE - 20]).unwrap();
    let client = traced(Relaying::default()).await.with_metadata(full);
    assert_eq!(client.context().await, Ok(None));
    let spans = telemetry.ended(2).await;
    assert_eq!(only(&spans, SpanKind::Server).parent_span_id, SpanId::INVALID);
}

#[tokio::test]
async fn a_context_that_is_none_is_as_good_as_none() {
    let telemetry = Telemetry::new();
    let mut odd = Metadata::new();
    odd.insert("traceparent", [0xff, 0xfe]).unwrap();
    odd.insert("tracestate", "=,=,=").unwrap();
    let server = Server::builder()
        .service(RelayServer::new(Relaying::default()))
        .layer(TraceLayer::new());
    let client = RelayClient::new(testing::connect(server).await).with_metadata(odd);
    assert!(client.fail().await.is_err());
    let spans = telemetry.ended(1).await;
    assert_eq!(spans[0].parent_span_id, SpanId::INVALID);
}

#[tokio::test]
async fn without_opentelemetry_nothing_travels_and_all_else_is_as_it_was() {
    global::set_text_map_propagator(TraceContextPropagator::new());
    let client = traced(Relaying::default()).await;
    assert_eq!(client.context().await, Ok(None));
    assert_eq!(client.count(3).await.unwrap().count().await, 3);
    assert!(client.fail().await.is_err());
}
