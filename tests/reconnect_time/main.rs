//! Clients that outlive their servers, in simulated time: when they come back, how long callers wait, what is made again
//! and what is told.

#[path = "../support/gauge.rs"]
#[expect(unreachable_pub, dead_code, reason = "each test file uses a part")]
mod gauge;
mod place;

mod lasting;
mod lost;
mod overloaded;
mod pauses;
mod states;
mod waiting;

use std::time::Duration;

pub(crate) const MS: Duration = Duration::from_millis(1);
pub(crate) const SECOND: Duration = Duration::from_secs(1);

/// After this, of simulated time, a test that should have ended hangs.
pub(crate) const HANG: Duration = Duration::from_secs(100_000);

pub(crate) async fn soon<F: Future>(future: F) -> F::Output {
    tokio::time::timeout(HANG, future).await.expect("it hangs")
}
