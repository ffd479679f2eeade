//! What the tests of behaviour share: a service whose handlers the test controls, and ways to reach it.

use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::sync::atomic::{AtomicU32, Ordering};
use std::task::Poll;
use std::time::Duration;

pub mod child;
mod gauge;
pub mod lab;
pub mod link;
pub mod streams;
pub mod tap;
#[cfg(windows)]
#[path = "../../transport-pipe/tests/support/wine_unsafe.rs"]
mod wine_unsafe;

pub use gauge::Gauge;
#[allow(unused_imports, reason = "each test file uses a part")]
pub use lab::LabClient;

/// After this a test that should have ended hangs.
pub const HANG: Duration = Duration::from_secs(120);

#[cfg(windows)]
#[allow(unused_imports, reason = "each test file uses a part")]
pub(crate) use wine_unsafe::skipped_on_wine;

/// This is not Wine.
#[cfg(not(windows))]
pub fn skipped_on_wine(_: &str) -> bool {
    false
}

/// A name that no other test uses.
pub fn unique_name(test: &str) -> String {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    format!("{test}-{}-{count}", std::process::id())
}

/// Waits for what must come; a hang is a failure.
#[track_caller]
pub fn soon<F: Future>(future: F) -> impl Future<Output = F::Output> {
    let place = std::panic::Location::caller();
    async move {
        tokio::time::timeout(HANG, future)
            .await
            .unwrap_or_else(|_| panic!("hangs at {place}"))
    }
}

/// Polls the future up to `polls` times, others running between any two, and then drops it unless it was ready.
pub async fn drop_at_poll<F: Future>(polls: usize, future: F) -> Option<F::Output> {
    let mut future = pin!(future);
    for _ in 0..polls {
        if let Some(output) = poll_once(&mut future).await {
            return Some(output);
        }
        tokio::task::yield_now().await;
    }
    None
}

/// Polls the future once: its output, if it is ready.
pub async fn poll_once<F: Future + Unpin>(future: &mut F) -> Option<F::Output> {
    match poll_fn(|cx| Poll::Ready(Pin::new(&mut *future).poll(cx))).await {
        Poll::Ready(output) => Some(output),
        Poll::Pending => None,
    }
}
