//! What a client that outlives its server calls through.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use tower::Layer as _;

use super::{AttemptError, ConnectionStates, Reconnect, ReconnectError, ReconnectPolicy};
use crate::client::{Channel, Retry};
use crate::connection::ConnectionError;

/// [`Reconnect`] with what tries calls again: a call that surely did not run, whatever its method; one that may have run
/// only if its method is `#[rpc(idempotent)]`. All others are told "may have run".
///
/// ```
/// use pipe_rpc_core::client::{AttemptError, Channel, ReconnectPolicy, Reconnecting};
/// use pipe_rpc_core::connection::Config;
/// use pipe_rpc_core::transport::memory::MemoryConnector;
///
/// fn caller(connector: MemoryConnector) -> Reconnecting {
///     let connect = move || {
///         let connector = connector.clone();
///         async move {
///             let link = connector.connect().await.map_err(AttemptError::passing)?;
///             Ok(Channel::open(link, &Config::default()).await?)
///         }
///     };
///     Reconnecting::new(connect, ReconnectPolicy::default())
/// }
/// ```
pub type Reconnecting = Retry<Reconnect>;

impl Reconnecting {
    /// Calls through what `connect` makes, as [`Reconnect::new`] says.
    pub fn new<C, F>(connect: C, policy: ReconnectPolicy) -> Self
    where
        C: Fn() -> F + Send + Sync + 'static,
        F: Future<Output = Result<Channel, AttemptError>> + Send + 'static,
    {
        let retry = policy.retry();
        retry.layer(Reconnect::new(connect, policy))
    }

    /// As [`Reconnect::connected`].
    ///
    /// # Errors
    /// As there.
    ///
    /// # Cancel safety
    /// As there.
    pub async fn connected(&self) -> Result<(), ReconnectError> {
        self.get_ref().connected().await
    }

    /// Watches the state of the connection.
    #[must_use]
    pub fn states(&self) -> ConnectionStates {
        self.get_ref().states()
    }

    /// As [`Reconnect::shutdown`].
    ///
    /// # Errors
    /// As there.
    ///
    /// # Cancel safety
    /// As there.
    pub async fn shutdown(&self, limit: Duration) -> Result<(), Arc<ConnectionError>> {
        self.get_ref().shutdown(limit).await
    }

    /// Closes the connection at once and makes no other; open calls end with a fault. Idempotent.
    pub fn close(&self) {
        self.get_ref().close();
    }
}
