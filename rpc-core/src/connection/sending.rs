//! A request on its way into the protocol, by its parts: a call without layers has no `Request` made for it.

use tokio::time::Instant;

use crate::message::ServiceId;
use crate::method::Method;
use crate::proto::{Body, Metadata, RequestHead};
use crate::streaming::Upload;

/// What is sent of a request. Its metadata and its body are taken if they are not copied.
pub(crate) struct Sending<'a> {
    pub(crate) method: &'static Method,
    pub(crate) service: ServiceId,
    pub(crate) depth: u8,
    pub(crate) attempt: u8,
    pub(crate) deadline: Option<Instant>,
    pub(crate) upload: Option<&'a Upload>,
    pub(crate) metadata: &'a mut Metadata,
    pub(crate) body: &'a mut Body,
}

impl Sending<'_> {
    #[inline]
    pub(super) fn head(&self) -> RequestHead {
        RequestHead {
            service: self.service.0,
            method: self.method.id,
            fingerprint: self.method.fingerprint(),
            depth: self.depth,
            attempt: self.attempt,
            oneway: self.method.oneway,
            upload: self.upload.is_some(),
            buffer: self.method.buffer,
            deadline: self.deadline.map(Instant::into_std),
        }
    }
}
