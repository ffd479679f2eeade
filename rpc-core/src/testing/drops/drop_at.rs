//! A future that drops another one in the middle.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use super::Moment;

/// Runs `future`, and drops it at that moment unless it was ready before: `None`.
///
/// ```
/// use pipe_rpc_core::testing::{Moment, drop_at};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// let twice = async {
///     tokio::task::yield_now().await;
///     "done"
/// };
/// assert_eq!(drop_at(Moment::After(1), twice).await, None);
/// assert_eq!(drop_at(Moment::After(2), async { "done" }).await, Some("done"));
/// # }
/// ```
pub fn drop_at<F: Future>(moment: Moment, future: F) -> DropAt<F> {
    DropAt {
        future: Some(Box::pin(future)),
        moment,
        polls: 0,
    }
}

/// The future of [`drop_at`].
#[must_use = "futures do nothing unless they are polled"]
pub struct DropAt<F> {
    future: Option<Pin<Box<F>>>,
    moment: Moment,
    polls: usize,
}

impl<F: Future> DropAt<F> {
    /// How often the future has been polled.
    #[must_use]
    pub fn polls(&self) -> usize {
        self.polls
    }
}

impl<F: Future> Future for DropAt<F> {
    type Output = Option<F::Output>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = &mut *self;
        let is_woken = this.polls > 0 && this.moment == Moment::Woken(this.polls);
        let Some(future) = this
            .future
            .as_mut()
            .filter(|_| !is_woken && this.moment.polls() > 0)
        else {
            this.future = None;
            return Poll::Ready(None);
        };
        this.polls += 1;
        if let Poll::Ready(output) = future.as_mut().poll(cx) {
            this.future = None;
            return Poll::Ready(Some(output));
        }
        if this.moment == Moment::After(this.polls) {
            this.future = None;
            return Poll::Ready(None);
        }
        Poll::Pending
    }
}

impl<F> std::fmt::Debug for DropAt<F> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("DropAt")
            .field("moment", &self.moment)
            .field("polls", &self.polls)
            .finish_non_exhaustive()
    }
}
