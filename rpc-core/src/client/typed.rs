//! What generated clients have in common.

use super::Channel;

/// A client of one service, as `#[pipe_rpc::service]` makes it: what
/// [`Context::peer`](crate::server::Context::peer) gives.
pub trait Client {
    /// Calls the service that is mounted under its own name at the other end of `channel`.
    #[must_use]
    fn over(channel: Channel) -> Self;
}
