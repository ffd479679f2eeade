//! What a handler can ask about its call.

use std::any::Any;
use std::error::Error;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::time::Instant;

use crate::client::{Channel, Client};
use crate::codec::{Codec, DecodeError, EncodeError};
use crate::connection::{Ambient, Shared, panic_text};
use crate::fault::{Fault, Outcome, Reason};
use crate::message::Response;
use crate::method::Method;
use crate::proto::{Body, CallId, Metadata, MetadataError};
use crate::transport::PeerIdentity;

use super::gate::Gate;

/// What a handler can ask about its call: who calls, and how long the answer is wanted. It also leads back to the caller,
/// which may serve too.
#[derive(Clone)]
pub struct Context {
    method: &'static Method,
    deadline: Option<Instant>,
    depth: u8,
    connection: Arc<Shared>,
    call: CallId,
    /// What came beside the arguments; with the request until that is accepted.
    metadata: Metadata,
    /// Passed when the method is entered, if layers could fail the call before or after.
    gate: Option<Arc<Gate>>,
}

impl Context {
    pub(crate) fn new(
        method: &'static Method,
        connection: &Arc<Shared>,
        call: CallId,
        ambient: Ambient,
    ) -> Self {
        let Ambient { deadline, depth } = ambient;
        Self {
            method,
            deadline,
            depth,
            connection: Arc::clone(connection),
            call,
            metadata: Metadata::new(),
            gate: None,
        }
    }

    /// Who calls.
    #[must_use]
    pub fn peer_identity(&self) -> &PeerIdentity {
        &self.connection.peer
    }

    /// A client of the other end, on the connection that this call came by: calls back into the caller's process, which
    /// [offers](Channel::open_serving) the service.
    ///
    /// The handler's calls through it do not wait for credit, and they end when this call is cancelled or its deadline
    /// passes. It may be kept for longer: it is of use for as long as the connection is, and does not keep that.
    #[must_use]
    pub fn peer<C: Client>(&self) -> C {
        C::over(self.peer_channel())
    }

    /// The channel under [`peer`](Self::peer): for layers, or a service that is mounted under another name.
    #[must_use]
    pub fn peer_channel(&self) -> Channel {
        Channel::of_peer(&self.connection)
    }

    /// When the caller stops waiting. The handler is dropped then.
    #[must_use]
    pub fn deadline(&self) -> Option<Instant> {
        self.deadline
    }

    /// Resolves when nobody waits for this call any more: the caller cancelled it, its deadline passed, the connection was
    /// lost, or it has been answered.
    ///
    /// A handler is dropped at that moment, so this is for what it has spawned, and for methods that are to
    /// `#[rpc(finish)]`.
    ///
    /// # Cancel safety
    /// Dropping the future changes nothing.
    pub async fn cancelled(&self) {
        self.connection.cancelled(self.call).await;
    }

    /// Whether nobody waits for this call any more; see [`cancelled`](Self::cancelled).
    #[must_use]
    pub fn is_cancelled(&self) -> bool {
        self.connection.is_cancelled(self.call)
    }

    /// What travelled beside the arguments.
    #[must_use]
    pub fn metadata(&self) -> &Metadata {
        &self.metadata
    }

    /// Sends an entry beside the result, in place of one with the same key. Of a method that returns a stream it goes with
    /// the opening of that.
    ///
    /// # Errors
    /// If the key or all entries together are too large. When the call has been answered, or its stream is open, nothing
    /// happens.
    pub fn respond_with_metadata(&self, key: &str, value: impl AsRef<[u8]>) -> Result<(), MetadataError> {
        self.connection.set_metadata(self.call, key, value.as_ref())
    }

    #[inline]
    pub(crate) fn set_metadata(&mut self, metadata: Metadata) {
        self.metadata = metadata;
    }

    /// How many calls wait for this one; 0 for a call that no handler makes.
    #[must_use]
    pub fn depth(&self) -> u8 {
        self.depth
    }

    /// The method that is called.
    #[must_use]
    pub fn method(&self) -> &'static Method {
        self.method
    }

    pub(super) fn codec(&self) -> Codec {
        self.connection.codec
    }

    /// The response that carries a plain value.
    ///
    /// # Errors
    /// If the value cannot be encoded.
    #[inline]
    pub fn respond<T: Serialize + 'static>(&self, value: T) -> Result<Response, Fault> {
        encode(self.connection.codec, value, Outcome::Ran).map(Response::ok)
    }

    /// The response that carries what a method returned as `Result`.
    ///
    /// # Errors
    /// If the value or the error cannot be encoded.
    pub fn respond_result<T, E>(&self, result: Result<T, E>) -> Result<Response, Fault>
    where
        T: Serialize + 'static,
        E: Serialize + 'static,
    {
        match result {
            Ok(value) => self.respond(value),
            Err(error) => encode(self.connection.codec, error, Outcome::Ran).map(Response::failed),
        }
    }

    pub(super) fn gate(&mut self) -> Arc<Gate> {
        Arc::clone(self.gate.get_or_insert_default())
    }

    /// Whether the method may be entered: not after a layer has failed the call.
    #[inline]
    pub(super) fn enter(&self) -> bool {
        self.gate.as_deref().is_none_or(Gate::enter)
    }
}

impl std::fmt::Debug for Context {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Context")
            .field("method", self.method)
            .field("peer", self.peer_identity())
            .field("deadline", &self.deadline)
            .field("depth", &self.depth)
            .finish_non_exhaustive()
    }
}

/// Encodes a value; a panic of its `Serialize` is a fault like any other.
#[inline]
pub(crate) fn encode<T: Serialize + 'static>(
    codec: Codec,
    value: T,
    outcome: Outcome,
) -> Result<Body, Fault> {
    encoded(outcome, || codec.encode_owned(value))
}

/// Encodes a value behind what is there; a panic of its `Serialize` is a fault like any other.
#[inline]
pub(crate) fn encode_into<T: Serialize + 'static>(
    codec: Codec,
    value: &T,
    bytes: &mut Vec<u8>,
    outcome: Outcome,
) -> Result<(), Fault> {
    encoded(outcome, || codec.append(value, bytes))
}

#[inline]
fn encoded<T>(outcome: Outcome, encode: impl FnOnce() -> Result<T, EncodeError>) -> Result<T, Fault> {
    match catch_unwind(AssertUnwindSafe(encode)) {
        Ok(Ok(body)) => Ok(body),
        Ok(Err(error)) => Err(misfit(outcome, Reason::Encode, Arc::new(error))),
        Err(panic) => Err(panicked(outcome, Reason::Encode, &*panic)),
    }
}

/// Decodes a value; a panic of its `Deserialize` is a fault like any other.
#[inline]
pub(crate) fn decode<T: DeserializeOwned + 'static>(
    codec: Codec,
    body: Body,
    outcome: Outcome,
) -> Result<T, Fault> {
    decoded(outcome, || codec.decode(body))
}

/// The same of bytes that lie somewhere.
#[inline]
pub(crate) fn decode_slice<T: DeserializeOwned + 'static>(
    codec: Codec,
    bytes: &[u8],
    outcome: Outcome,
) -> Result<T, Fault> {
    decoded(outcome, || codec.decode_slice(bytes))
}

#[inline]
fn decoded<T>(outcome: Outcome, decode: impl FnOnce() -> Result<T, DecodeError>) -> Result<T, Fault> {
    match catch_unwind(AssertUnwindSafe(decode)) {
        Ok(Ok(value)) => Ok(value),
        Ok(Err(error)) => Err(misfit(outcome, Reason::Decode, Arc::new(error))),
        Err(panic) => Err(panicked(outcome, Reason::Decode, &*panic)),
    }
}

#[cold]
fn misfit(outcome: Outcome, reason: Reason, error: Arc<dyn Error + Send + Sync>) -> Fault {
    Fault::new(outcome, reason).with_source(error)
}

#[cold]
fn panicked(outcome: Outcome, reason: Reason, panic: &(dyn Any + Send)) -> Fault {
    let whose = match reason {
        Reason::Encode => "Serialize",
        _ => "Deserialize",
    };
    let text = format!("its {whose} panicked: {}", panic_text(panic));
    Fault::new(outcome, reason).with_detail(text)
}
