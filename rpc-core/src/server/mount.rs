//! What a service is to the server.

use std::future::Future;
use std::pin::Pin;

use crate::fault::Fault;
use crate::message::{Request, Response};
use crate::method::Method;

/// The future of one call at the server. It owns all it needs.
pub type Reply = Pin<Box<dyn Future<Output = Result<Response, Fault>> + Send>>;

/// A service that a server can mount. `#[pipe_rpc::service]` implements it for the trait's `…Server`.
pub trait Mount: Send + Sync + 'static {
    /// The name it is mounted under unless another is given.
    fn name(&self) -> &'static str;

    /// Its methods.
    fn methods(&self) -> &'static [Method];

    /// Runs the method at `index` of [`methods`](Self::methods).
    fn call(&self, index: usize, request: Request) -> Reply;
}
