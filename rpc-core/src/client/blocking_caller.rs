//! What a client without async calls through, and the end of its connection.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use super::blocking::Driving;
use super::{Channel, Reconnecting};
use crate::connection::ConnectionError;

/// What a blocking client calls through, as its `caller` gives it.
#[derive(Debug)]
pub struct BlockingCaller<'a, S> {
    caller: &'a S,
    driving: &'a Driving,
}

impl<'a, S> BlockingCaller<'a, S> {
    pub(super) fn new(caller: &'a S, driving: &'a Driving) -> Self {
        Self { caller, driving }
    }

    /// The channel, or the layers over one, itself: to close it at once, to know who is at the other end.
    #[must_use]
    pub fn get_ref(&self) -> &'a S {
        self.caller
    }

    /// Blocks until a shutdown of a clone is over.
    fn shut_down<F>(&self, shutdown: impl FnOnce(S) -> F) -> Result<(), Arc<ConnectionError>>
    where
        S: Clone,
        F: Future<Output = Result<(), Arc<ConnectionError>>> + Send + 'static,
    {
        self.driving.wait(shutdown(self.caller.clone()))
    }
}

impl BlockingCaller<'_, Channel> {
    /// Leaves in good order, as [`Channel::shutdown`] does, and blocks until that is done: calls of other threads that
    /// run, and streams that they read, may end within `limit`, and are cut then. A stream that nobody reads on, because
    /// this thread would, is cut too. Blocks until a second after the limit at the latest.
    ///
    /// Holds for all clones of the client, which make no calls from then on.
    ///
    /// ```no_run
    /// # use pipe_rpc_core::client::{BlockingClient, Channel};
    /// # fn example(client: &BlockingClient<Channel>) -> Result<(), Box<dyn std::error::Error>> {
    /// use std::time::Duration;
    ///
    /// client.caller(|channel| channel).shutdown(Duration::from_secs(5))?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// If calls were cut, the other end did not acknowledge in time, or the connection was lost.
    pub fn shutdown(&self, limit: Duration) -> Result<(), Arc<ConnectionError>> {
        self.shut_down(move |channel| async move { channel.shutdown(limit).await })
    }
}

impl BlockingCaller<'_, Reconnecting> {
    /// Closes the connection in good order, as that of a [`Channel`] does, and makes no other.
    ///
    /// # Errors
    /// As there. Without a connection, and if the client was closed before, there is nothing to wait for.
    pub fn shutdown(&self, limit: Duration) -> Result<(), Arc<ConnectionError>> {
        self.shut_down(move |caller| async move { caller.shutdown(limit).await })
    }
}
