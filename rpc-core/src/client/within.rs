//! Waiting that ends at a call's deadline.

use std::future::{Future, poll_fn};
use std::task::Poll;

use tokio::time::{Instant, timeout_at};

use crate::fault::{Fault, Outcome, Reason};

/// Waits for `future` until the deadline. A timer is made only if the future is not ready at once. Without a deadline this
/// is not for: to move a future in here, and its result out again, costs a call more than to take its credit.
pub(super) async fn within<F: Future>(
    deadline: Instant,
    outcome: Outcome,
    future: F,
) -> Result<F::Output, Fault> {
    let mut future = std::pin::pin!(future);
    if let Poll::Ready(output) = poll_fn(|cx| Poll::Ready(future.as_mut().poll(cx))).await {
        return Ok(output);
    }
    if tokio::runtime::Handle::try_current().is_err() {
        return Err(Fault::new(outcome, Reason::NoRuntime));
    }
    timeout_at(deadline, future)
        .await
        .map_err(|_| Fault::new(outcome, Reason::DeadlineExceeded))
}
