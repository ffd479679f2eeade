//! The layer that makes a span for each call, at either end.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use opentelemetry::global;
use tower::{Layer, Service};
use tracing::field::Empty;
use tracing::{Instrument, Span};
use tracing_opentelemetry::OpenTelemetrySpanExt;

use super::carrier::{Incoming, Outgoing};
use super::ending::Ending;
use crate::client::BoxError;
use crate::message::{Request, Response};
use crate::method::Method;

/// Makes a [`tracing`] span for each call and, if `tracing-opentelemetry` is among the subscriber's layers, joins those of
/// the two ends to one trace. The same layer is for clients and for servers.
///
/// A client's span, `rpc.client`, lasts until the response, or the stream that it is, has ended; its context goes along as
/// metadata (`traceparent`, `tracestate`), by OpenTelemetry's global propagator. A server's, `rpc.server`, has it as its
/// parent, and is there for the method and its stream, so that the calls that the method makes through this layer
/// are children of it. Context that has no room among the metadata is left out.
///
/// Both have `rpc.system` (`pipe-rpc`), `rpc.service`, `rpc.method`, and when they end `rpc.outcome`: `ok`, `failed` (the
/// method's own error), `cancelled`, or of a fault `not_sent`, `refused`, `may_have_run` or `ran`, with its `rpc.reason`;
/// `layer` is the error of another layer. To exporters the span is called by service and method.
///
/// Each process sets up `tracing_opentelemetry::layer()` in its subscriber and, by
/// `opentelemetry::global::set_text_map_propagator`, `opentelemetry_sdk`'s `TraceContextPropagator`. Without them the spans
/// are those of `tracing` alone, and nothing travels.
///
/// ```
/// use pipe_rpc_core::server::Server;
/// use pipe_rpc_core::trace::TraceLayer;
///
/// let server = Server::builder().layer(TraceLayer::new());
/// // let client = ThesaurusClient::builder("thesaurus").layer(TraceLayer::new()).connect().await?;
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct TraceLayer(());

impl TraceLayer {
    /// The layer, for either end.
    #[must_use]
    pub const fn new() -> Self {
        Self(())
    }
}

impl<S> Layer<S> for TraceLayer {
    type Service = Trace<S>;

    fn layer(&self, inner: S) -> Trace<S> {
        Trace { inner }
    }
}

/// Makes a span for each call; see [`TraceLayer`].
#[derive(Clone, Copy, Debug)]
pub struct Trace<S> {
    inner: S,
}

impl<S> Service<Request> for Trace<S>
where
    S: Service<Request, Response = Response>,
    S::Error: Into<BoxError>,
    S::Future: Send + 'static,
{
    type Response = Response;
    type Error = BoxError;
    type Future = Pin<Box<dyn Future<Output = Result<Response, BoxError>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.inner.poll_ready(cx).map_err(Into::into)
    }

    fn call(&mut self, mut request: Request) -> Self::Future {
        let span = match request.context() {
            Some(_) => server_span(&request),
            None => client_span(&mut request),
        };
        let ending = Ending::of(&span);
        let calling = span.in_scope(|| self.inner.call(request));
        let call = async move {
            match calling.await {
                Ok(response) => Ok(ending.answered(response)),
                Err(error) => {
                    let error = error.into();
                    ending.failed(&*error);
                    Err(error)
                }
            }
        };
        Box::pin(call.instrument(span))
    }
}

fn client_span(request: &mut Request) -> Span {
    let Method { service, name, .. } = request.method();
    let span = tracing::info_span!(
        "rpc.client",
        otel.name = format_args!("{service}/{name}"),
        otel.kind = "client",
        otel.status_code = Empty,
        otel.status_description = Empty,
        rpc.system = "pipe-rpc",
        rpc.service = service,
        rpc.method = name,
        rpc.outcome = Empty,
        rpc.reason = Empty,
    );
    let context = span.context();
    global::get_text_map_propagator(|propagator| {
        propagator.inject_context(&context, &mut Outgoing(request.metadata_mut()));
    });
    span
}

fn server_span(request: &Request) -> Span {
    let Method { service, name, .. } = request.method();
    let span = tracing::info_span!(
        parent: None,
        "rpc.server",
        otel.name = format_args!("{service}/{name}"),
        otel.kind = "server",
        otel.status_code = Empty,
        otel.status_description = Empty,
        rpc.system = "pipe-rpc",
        rpc.service = service,
        rpc.method = name,
        rpc.outcome = Empty,
        rpc.reason = Empty,
    );
    let parent =
        global::get_text_map_propagator(|propagator| propagator.extract(&Incoming(request.metadata())));
    // Without OpenTelemetry among the subscriber's layers there is nobody to be told.
    let _ = span.set_parent(parent);
    span
}
