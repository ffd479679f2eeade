//! The one task of a client that reconnects: it connects, waits until the connection is lost, and connects again.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;

use super::error::{AttemptError, Cause, ReconnectError};
use super::policy::ReconnectPolicy;
use super::state::Shared;
use crate::client::{BoxError, Channel};
use crate::connection::{ConnectionError, panic_text};

/// Makes one attempt to connect.
pub(super) type Connect = Box<dyn Fn() -> BoxFuture<'static, Result<Channel, AttemptError>> + Send + Sync>;

pub(super) struct Keeper {
    pub(super) connect: Connect,
    pub(super) policy: ReconnectPolicy,
    pub(super) shared: Arc<Shared>,
    /// Cancelled when the client is closed, which tells the state, too.
    pub(super) stop: CancellationToken,
}

impl Keeper {
    /// Keeps a connection until the client is closed or gives up.
    pub(super) async fn run(self) {
        let keeping = AssertUnwindSafe(self.keep()).catch_unwind();
        let Some(ended) = self.stop.run_until_cancelled(keeping).await else {
            return;
        };
        let error = ended.unwrap_or_else(|panic| {
            let text = format!("connecting panicked: {}", panic_text(&*panic));
            ReconnectError::Lasting(Cause::from(BoxError::from(text)))
        });
        tracing::warn!(
            error = &error as &dyn std::error::Error,
            "no further attempt to connect"
        );
        self.shared.given_up(error);
    }

    async fn keep(&self) -> ReconnectError {
        let mut pauses = self.policy.pauses();
        let mut attempt = 0;
        let mut lost = None;
        loop {
            attempt += 1;
            self.shared.connecting(attempt, lost.take());
            let failed = match (self.connect)().await {
                Ok(channel) => {
                    attempt = 0;
                    let (why, lasted) = self.connected(channel).await;
                    if lasted > self.policy.longest_pause() {
                        pauses = self.policy.pauses();
                        lost = Some(why);
                        continue;
                    }
                    AttemptError::passing(why)
                }
                Err(error) if error.is_lasting => return ReconnectError::Lasting(error.cause),
                Err(error) => error,
            };
            let AttemptError {
                cause, retry_after, ..
            } = failed;
            if (self.policy.give_up_after).is_some_and(|limit| attempt >= limit) {
                return ReconnectError::GivenUp {
                    attempts: attempt,
                    cause,
                };
            }
            let pause = pauses.next().max(retry_after).unwrap_or_default();
            self.wait(pause, cause).await;
        }
    }

    /// Waits until the connection is lost or the server drains: why, and how long that took.
    async fn connected(&self, channel: Channel) -> (Cause, Duration) {
        let since = Instant::now();
        let retired = channel.retired();
        self.shared.connected(channel);
        // A server that drains is about to close the connection.
        let why = retired
            .await
            .unwrap_or_else(|| Arc::new(ConnectionError::PeerClosed));
        tracing::debug!(%why, "the connection takes no more calls");
        (why, since.elapsed())
    }

    async fn wait(&self, pause: Duration, cause: Cause) {
        tracing::debug!(error = &*cause as &dyn std::error::Error, ?pause, "not connected");
        let now = Instant::now();
        // Beyond what the clock can tell it may as well be a year.
        let until = now
            .checked_add(pause)
            .unwrap_or(now + Duration::from_secs(365 * 24 * 3600));
        self.shared.waiting(until, cause);
        sleep_until(until).await;
    }
}

impl Drop for Keeper {
    /// Changes nothing if it ended by itself or the client was closed.
    fn drop(&mut self) {
        self.shared.given_up(ReconnectError::RuntimeGone);
    }
}
