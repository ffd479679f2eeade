//! Metadata as OpenTelemetry's propagators see it.

use opentelemetry::propagation::{Extractor, Injector};

use crate::proto::Metadata;

/// What a propagator writes into. What there is no room for is left out.
pub(super) struct Outgoing<'a>(pub(super) &'a mut Metadata);

impl Injector for Outgoing<'_> {
    fn set(&mut self, key: &str, value: String) {
        // An empty `tracestate` says as much as none.
        if value.is_empty() {
            return;
        }
        if let Err(error) = self.0.insert(key, value) {
            tracing::debug!(%error, key, "trace context is left out");
        }
    }
}

/// What a propagator reads from.
pub(super) struct Incoming<'a>(pub(super) &'a Metadata);

impl Extractor for Incoming<'_> {
    fn get(&self, key: &str) -> Option<&str> {
        self.0.get(key).and_then(|value| std::str::from_utf8(value).ok())
    }

    fn keys(&self) -> Vec<&str> {
        self.0.iter().map(|(key, _)| key).collect()
    }
}
