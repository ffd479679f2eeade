//! What a handler can ask about its call.

use std::sync::Arc;

use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::time::Instant;

use crate::codec::Codec;
use crate::fault::{Fault, Outcome, Reason};
use crate::message::{Request, Response};
use crate::method::Method;
use crate::transport::PeerIdentity;

/// What a handler can ask about its call: who calls and how long the answer is wanted.
#[derive(Clone, Debug)]
pub struct Context {
    method: &'static Method,
    codec: Codec,
    deadline: Option<Instant>,
    peer: Arc<PeerIdentity>,
}

impl Context {
    /// Who calls.
    #[must_use]
    pub fn peer_identity(&self) -> &PeerIdentity {
        &self.peer
    }

    /// When the caller stops waiting.
    #[must_use]
    pub fn deadline(&self) -> Option<Instant> {
        self.deadline
    }

    /// The method that is called.
    #[must_use]
    pub fn method(&self) -> &'static Method {
        self.method
    }

    /// The response that carries a plain value.
    ///
    /// # Errors
    /// If the value cannot be encoded.
    pub fn respond<T: Serialize + 'static>(&self, value: &T) -> Result<Response, Fault> {
        let body = self.codec.encode(value);
        body.map(Response::ok)
            .map_err(|e| Fault::new(Outcome::Ran, Reason::Encode).with_source(Arc::new(e) as Arc<_>))
    }

    /// The response that carries what a method returned as `Result`.
    ///
    /// # Errors
    /// If the value or the error cannot be encoded.
    pub fn respond_result<T, E>(&self, result: &Result<T, E>) -> Result<Response, Fault>
    where
        T: Serialize + 'static,
        E: Serialize + 'static,
    {
        let body = match result {
            Ok(value) => self.codec.encode(value).map(Response::ok),
            Err(error) => self.codec.encode(error).map(Response::failed),
        };
        body.map_err(|e| Fault::new(Outcome::Ran, Reason::Encode).with_source(Arc::new(e) as Arc<_>))
    }
}

impl Request {
    /// Decodes the arguments: the moment in which the method is entered.
    ///
    /// # Errors
    /// If the body is not exactly one `T`.
    pub fn accept<T: DeserializeOwned + 'static>(self) -> Result<(Context, T), Fault> {
        let (body, codec, context) = self.into_parts();
        let context = context.ok_or_else(|| Fault::new(Outcome::Refused, Reason::Other))?;
        let decoded = codec.decode(body);
        let value = decoded
            .map_err(|e| Fault::new(Outcome::Refused, Reason::Decode).with_source(Arc::new(e) as Arc<_>))?;
        Ok((context, value))
    }
}
