//! What a stub says of each of its calls, and what a call inherits.

use std::time::Duration;

use tokio::time::Instant;

use crate::codec::Codec;
use crate::connection::Ambient;
use crate::fault::{Fault, Outcome, Reason};
use crate::message::{Request, ServiceId};
use crate::method::Method;
use crate::proto::{Body, Metadata};
use crate::server::MAX_DEPTH;
use crate::streaming::Upload;

/// What a stub says of each of its calls.
#[derive(Clone, Debug)]
pub(super) struct CallOptions {
    pub(super) service: ServiceId,
    pub(super) codec: Codec,
    pub(super) timeout: Option<Duration>,
    pub(super) metadata: Metadata,
}

/// What a call inherits, and until when it is waited for.
#[derive(Clone, Copy)]
pub(super) struct Terms {
    pub(super) depth: u8,
    pub(super) deadline: Option<Instant>,
}

impl CallOptions {
    pub(super) fn new(service: ServiceId) -> Self {
        Self {
            service,
            codec: Codec::default(),
            timeout: None,
            metadata: Metadata::new(),
        }
    }

    /// The terms of a call that is made now.
    #[inline]
    pub(super) fn terms(&self, method: &Method) -> Result<Terms, Fault> {
        let ambient = Ambient::current();
        let depth = ambient.map_or(0, |ambient| ambient.depth.saturating_add(1));
        if depth > MAX_DEPTH {
            return Err(too_deep());
        }
        let own = self
            .timeout
            .or(method.timeout)
            .and_then(|limit| Instant::now().checked_add(limit));
        let inherited = ambient.and_then(|ambient| ambient.deadline);
        let deadline = match (own, inherited) {
            (Some(own), Some(inherited)) => Some(own.min(inherited)),
            (own, inherited) => own.or(inherited),
        };
        Ok(Terms { depth, deadline })
    }

    /// The request of a call on such terms.
    pub(super) fn request(
        &self,
        method: &'static Method,
        body: Body,
        upload: Option<Upload>,
        terms: Terms,
    ) -> Request {
        Request::new(method, self.service, self.codec, body)
            .with_upload(upload)
            .with_deadline(terms.deadline)
            .with_depth(terms.depth)
            .with_metadata(self.metadata.clone())
    }
}

#[cold]
fn too_deep() -> Fault {
    let text = format!("the limit is {MAX_DEPTH}");
    Fault::new(Outcome::NotSent, Reason::TooDeep).with_detail(text)
}
