//! How many instances listen and how many pipes live, counted for whoever asks.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

/// A server's counters.
#[derive(Debug, Default)]
pub(crate) struct Gauges {
    /// Free instances that a client can connect to now.
    pub(crate) listening: AtomicUsize,
    /// Pipes accepted and not yet fully closed.
    pub(crate) connected: AtomicUsize,
}

impl Gauges {
    /// Counts one more connected pipe, until the guard is dropped. Both halves of a pipe share one guard.
    pub(crate) fn count_connected(self: &Arc<Self>) -> Connected {
        self.connected.fetch_add(1, Relaxed);
        Connected(Arc::clone(self))
    }
}

/// One connected pipe in the count.
#[derive(Debug)]
pub(crate) struct Connected(Arc<Gauges>);

impl Drop for Connected {
    fn drop(&mut self) {
        self.0.connected.fetch_sub(1, Relaxed);
    }
}
