//! What is called, with its arguments and its terms.

use tokio::time::Instant;

use crate::codec::Codec;
use crate::connection::Sending;
use crate::method::{Method, wire_id};
use crate::proto::{Body, IncomingCall, Metadata};
use crate::server::Context;
use crate::streaming::Upload;

/// One call of a method, with its encoded arguments; the request type of every tower service here.
#[derive(Clone, Debug)]
pub struct Request {
    method: &'static Method,
    service: ServiceId,
    codec: Codec,
    body: Body,
    deadline: Option<Instant>,
    attempt: u8,
    depth: u8,
    upload: Option<Upload>,
    metadata: Metadata,
    context: Option<Context>,
}

/// What identifies a mounted service on the wire: [`wire_id`] of the name it is mounted under.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ServiceId(pub(crate) u32);

impl ServiceId {
    /// The id of a service mounted as `name`.
    #[must_use]
    pub const fn of(name: &str) -> Self {
        Self(wire_id(name))
    }
}

impl Request {
    /// A call of `method` of the service mounted as `service`.
    #[must_use]
    #[inline]
    pub fn new(method: &'static Method, service: ServiceId, codec: Codec, body: Body) -> Self {
        Self {
            method,
            service,
            codec,
            body,
            deadline: None,
            attempt: 0,
            depth: 0,
            upload: None,
            metadata: Metadata::new(),
            context: None,
        }
    }

    /// A call of the peer's, whose body and metadata are taken.
    #[inline]
    pub(crate) fn arrived(
        method: &'static Method,
        codec: Codec,
        call: &mut IncomingCall,
        upload: Option<Upload>,
        context: Context,
    ) -> Self {
        Self {
            method,
            service: ServiceId(call.head.service),
            codec,
            body: std::mem::take(&mut call.body),
            deadline: call.head.deadline.map(Instant::from_std),
            attempt: call.head.attempt,
            depth: call.head.depth,
            upload,
            metadata: std::mem::take(&mut call.metadata),
            context: Some(context),
        }
    }

    /// The same, not worth answering after `deadline`.
    #[must_use]
    #[inline]
    pub fn with_deadline(mut self, deadline: Option<Instant>) -> Self {
        self.deadline = deadline;
        self
    }

    /// The same, marked as the given attempt; the first is 0.
    #[must_use]
    pub fn with_attempt(mut self, attempt: u8) -> Self {
        self.attempt = attempt;
        self
    }

    /// The same, made by a handler whose own call has the depth below this one; 0 is a call that no handler makes.
    #[must_use]
    #[inline]
    pub fn with_depth(mut self, depth: u8) -> Self {
        self.depth = depth;
        self
    }

    /// The same, with items that follow the arguments.
    #[must_use]
    #[inline]
    pub fn with_upload(mut self, upload: Option<Upload>) -> Self {
        self.upload = upload;
        self
    }

    /// The same with metadata, in place of what it had.
    #[must_use]
    #[inline]
    pub fn with_metadata(mut self, metadata: Metadata) -> Self {
        self.metadata = metadata;
        self
    }

    /// The method that is called.
    #[must_use]
    pub fn method(&self) -> &'static Method {
        self.method
    }

    /// The service it belongs to, by its mounted name.
    #[must_use]
    pub fn service(&self) -> ServiceId {
        self.service
    }

    /// How the body is encoded.
    #[must_use]
    pub fn codec(&self) -> Codec {
        self.codec
    }

    /// The encoded arguments.
    #[must_use]
    pub fn body(&self) -> &Body {
        &self.body
    }

    /// When the caller stops waiting.
    #[must_use]
    pub fn deadline(&self) -> Option<Instant> {
        self.deadline
    }

    /// How often this call was tried before.
    #[must_use]
    pub fn attempt(&self) -> u8 {
        self.attempt
    }

    /// How many calls wait for this one.
    #[must_use]
    pub fn depth(&self) -> u8 {
        self.depth
    }

    /// What travels beside the arguments.
    #[must_use]
    pub fn metadata(&self) -> &Metadata {
        &self.metadata
    }

    /// What is to travel beside the arguments, for layers.
    pub fn metadata_mut(&mut self) -> &mut Metadata {
        &mut self.metadata
    }

    /// The items that follow the arguments.
    #[must_use]
    pub fn upload(&self) -> Option<&Upload> {
        self.upload.as_ref()
    }

    /// Whether a clone of this request can be sent in its place: not once its stream has been begun.
    #[must_use]
    pub fn is_replayable(&self) -> bool {
        self.upload.as_ref().is_none_or(Upload::is_whole)
    }

    /// Who calls, at a server; `None` at a client.
    #[must_use]
    pub fn context(&self) -> Option<&Context> {
        self.context.as_ref()
    }

    pub(crate) fn context_mut(&mut self) -> Option<&mut Context> {
        self.context.as_mut()
    }

    /// What is sent of it.
    pub(crate) fn sending(&mut self) -> Sending<'_> {
        Sending {
            method: self.method,
            service: self.service,
            depth: self.depth,
            attempt: self.attempt,
            deadline: self.deadline,
            upload: self.upload.as_ref(),
            metadata: &mut self.metadata,
            body: &mut self.body,
        }
    }

    pub(crate) fn into_context(self) -> Option<Context> {
        self.context
    }

    /// Takes the body out, and nobody reads what items may follow. The context gets what else the method may ask about.
    #[inline]
    pub(crate) fn take_body(&mut self) -> (Body, Option<&Context>) {
        self.upload = None;
        if let Some(context) = &mut self.context {
            context.set_metadata(std::mem::take(&mut self.metadata));
        }
        (std::mem::take(&mut self.body), self.context.as_ref())
    }
}
