//! What state the connection is in, for all clones of a client and for whoever watches.

use std::sync::Arc;

use futures_core::Stream;
use tokio::sync::watch;
use tokio::time::Instant;

use super::error::{Cause, ReconnectError};
use crate::client::Channel;

/// What state the connection of a client that reconnects is in.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum ConnectionState {
    /// Nothing was called yet, so nothing was tried.
    Idle,
    /// An attempt is being made.
    Connecting {
        /// Which one since there was a connection; the first is 1.
        attempt: u32,
    },
    /// There is a connection.
    Connected,
    /// An attempt failed, or a connection was lost soon after it was made, and the next attempt is not due yet.
    Waiting {
        /// When it is due.
        until: Instant,
        /// What the last one failed by.
        error: Arc<dyn std::error::Error + Send + Sync>,
    },
    /// No further attempt will be made.
    GivenUp(ReconnectError),
    /// The client was closed, or its last clone dropped.
    Closed,
}

impl ConnectionState {
    /// Whether there is a connection.
    #[must_use]
    pub fn is_connected(&self) -> bool {
        matches!(self, Self::Connected)
    }

    /// Whether this is the last state: there will be no connection any more.
    #[must_use]
    pub fn is_final(&self) -> bool {
        matches!(self, Self::GivenUp(_) | Self::Closed)
    }
}

/// Watches the state of a client's connection; it does not keep the client. States that pass quickly may be missed, the
/// last one is not.
#[derive(Clone, Debug)]
pub struct ConnectionStates {
    inner: watch::Receiver<Inner>,
    /// The last state has been seen.
    is_over: bool,
}

impl ConnectionStates {
    /// The state as it is now; [`changed`](Self::changed) waits for another one.
    pub fn now(&mut self) -> ConnectionState {
        let state = self.inner.borrow_and_update().state.clone();
        self.is_over = state.is_final();
        state
    }

    /// Waits until the state has changed since it was last seen here. `None`: the last state has been seen.
    ///
    /// # Cancel safety
    /// Dropped before it is ready, no change is lost.
    pub async fn changed(&mut self) -> Option<ConnectionState> {
        if self.is_over {
            return None;
        }
        self.inner.changed().await.ok()?;
        Some(self.now())
    }

    /// Waits for a state of which `wanted` is true, the present one counted: that state, or the last one.
    ///
    /// # Cancel safety
    /// Dropped before it is ready, no state is lost but those that were looked at.
    pub async fn wait_for(&mut self, mut wanted: impl FnMut(&ConnectionState) -> bool) -> ConnectionState {
        let mut state = self.now();
        while !wanted(&state) {
            let Some(next) = self.changed().await else { break };
            state = next;
        }
        state
    }

    /// The present state and every one that comes, until the last.
    pub fn into_stream(self) -> impl Stream<Item = ConnectionState> + Send {
        futures_util::stream::unfold((self, true), |(mut states, is_first)| async move {
            let state = if is_first {
                Some(states.now())
            } else {
                states.changed().await
            };
            state.map(|state| (state, (states, false)))
        })
    }
}

/// What the clones of a client and the task that connects share.
#[derive(Debug)]
pub(super) struct Shared(watch::Sender<Inner>);

#[derive(Debug)]
struct Inner {
    state: ConnectionState,
    /// While there is a connection.
    channel: Option<Channel>,
    /// What the last attempt failed by, until one succeeds.
    error: Option<Cause>,
}

impl Default for Shared {
    fn default() -> Self {
        Self(watch::Sender::new(Inner {
            state: ConnectionState::Idle,
            channel: None,
            error: None,
        }))
    }
}

impl Shared {
    /// The channel of now, if it takes calls; an error if there will be none any more.
    pub(super) fn channel(&self) -> Result<Option<Channel>, ReconnectError> {
        let inner = self.0.borrow();
        match &inner.state {
            ConnectionState::GivenUp(error) => Err(error.clone()),
            ConnectionState::Closed => Err(ReconnectError::Closed),
            _ => Ok(inner.channel.clone().filter(Channel::takes_calls)),
        }
    }

    /// Waits for a channel that takes calls.
    pub(super) async fn next_channel(&self) -> Result<Channel, ReconnectError> {
        let mut changes = self.0.subscribe();
        loop {
            if let Some(channel) = self.channel()? {
                return Ok(channel);
            }
            // The sender is `self`, so waiting does not fail.
            let _ = changes.changed().await;
        }
    }

    /// What the last attempt failed by.
    pub(super) fn last_error(&self) -> Option<Cause> {
        self.0.borrow().error.clone()
    }

    pub(super) fn states(&self) -> ConnectionStates {
        ConnectionStates {
            inner: self.0.subscribe(),
            is_over: false,
        }
    }

    /// An attempt begins; `lost` is why the last connection ended, if it did just now.
    pub(super) fn connecting(&self, attempt: u32, lost: Option<Cause>) {
        self.publish(|inner| {
            inner.state = ConnectionState::Connecting { attempt };
            inner.error = lost.or(inner.error.take());
        });
    }

    pub(super) fn connected(&self, channel: Channel) {
        self.publish(|inner| {
            inner.state = ConnectionState::Connected;
            inner.channel = Some(channel);
            inner.error = None;
        });
    }

    pub(super) fn waiting(&self, until: Instant, error: Cause) {
        self.publish(|inner| {
            inner.error = Some(Arc::clone(&error));
            inner.state = ConnectionState::Waiting { until, error };
        });
    }

    pub(super) fn given_up(&self, error: ReconnectError) {
        self.publish(|inner| inner.state = ConnectionState::GivenUp(error));
    }

    /// No more calls: what was the channel, if there was one.
    pub(super) fn close(&self) -> Option<Channel> {
        self.publish(|inner| inner.state = ConnectionState::Closed)
    }

    /// Changes the state, unless it is final: what was the channel, to be dropped when nothing is locked.
    fn publish(&self, change: impl FnOnce(&mut Inner)) -> Option<Channel> {
        let mut channel = None;
        self.0.send_if_modified(|inner| {
            if inner.state.is_final() {
                return false;
            }
            channel = inner.channel.take();
            change(inner);
            true
        });
        channel
    }
}
