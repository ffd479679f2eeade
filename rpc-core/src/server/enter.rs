//! How a request becomes the arguments of its method.

use serde::de::DeserializeOwned;

use crate::fault::{Fault, Outcome, Reason};
use crate::message::Request;
use crate::streaming::{Streaming, Upload};

use super::{Context, decode};

impl Request {
    /// The stream that follows the arguments, decoded as it comes. It is there once.
    ///
    /// # Errors
    /// If the caller sends none, or it was taken already.
    pub fn take_stream<T, E>(&self) -> Result<Streaming<T, E>, Fault> {
        let items = self.upload().and_then(Upload::take).ok_or_else(|| {
            let without = "the method takes a stream, and none came with the request";
            Fault::new(Outcome::Refused, Reason::Decode).with_detail(without)
        })?;
        Ok(Streaming::new(items, self.codec()))
    }

    /// Decodes the arguments: the moment in which the method is entered.
    ///
    /// # Errors
    /// If the body is not exactly one `T`, or this is no request at a server.
    pub fn accept<T: DeserializeOwned + 'static>(mut self) -> Result<(Context, T), Fault> {
        let (_, value) = self.enter()?;
        let context = self.into_context().ok_or_else(no_context)?;
        Ok((context, value))
    }

    /// The same where the request lies: a future that owns it moves neither it nor its context.
    ///
    /// # Errors
    /// As of [`accept`](Self::accept).
    #[doc(hidden)]
    #[inline]
    pub fn enter<T: DeserializeOwned + 'static>(&mut self) -> Result<(&Context, T), Fault> {
        let codec = self.codec();
        let (body, context) = self.take_body();
        let context = context.ok_or_else(no_context)?;
        let value = decode(codec, body, Outcome::Refused)?;
        if !context.enter() {
            let late = "a layer had given it up";
            return Err(Fault::new(Outcome::Refused, Reason::Layer).with_detail(late));
        }
        Ok((context, value))
    }
}

#[cold]
fn no_context() -> Fault {
    Fault::new(Outcome::Refused, Reason::Other).with_detail("a request that did not come over a connection")
}
