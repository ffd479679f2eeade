//! What the handlers of a test tell, and what they are told.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex};

use tokio::sync::watch;

/// Counts handlers as they begin and end, and holds them until they are released. Clones are the same gauge.
#[derive(Clone)]
pub struct Gauge(Arc<Shared>);

struct Shared {
    begun: watch::Sender<usize>,
    running: watch::Sender<usize>,
    most: AtomicUsize,
    released: watch::Sender<bool>,
    unblocked: Mutex<bool>,
    unblock: Condvar,
}

impl Default for Gauge {
    fn default() -> Self {
        Self(Arc::new(Shared {
            begun: watch::Sender::new(0),
            running: watch::Sender::new(0),
            most: AtomicUsize::new(0),
            released: watch::Sender::new(false),
            unblocked: Mutex::new(false),
            unblock: Condvar::new(),
        }))
    }
}

impl Gauge {
    /// A handler begins; it ends when the guard is dropped, however that comes.
    pub fn enter(&self) -> Entered {
        self.0.begun.send_modify(|begun| *begun += 1);
        self.0.running.send_modify(|running| {
            *running += 1;
            self.0.most.fetch_max(*running, Ordering::Relaxed);
        });
        Entered(self.clone())
    }

    /// A handler waits until the test lets it end.
    pub async fn released(&self) {
        let mut released = self.0.released.subscribe();
        released.wait_for(|released| *released).await.unwrap();
    }

    /// A handler blocks its thread until the test lets it go on.
    pub fn block(&self) {
        let unblocked = self.0.unblocked.lock().unwrap();
        let blocked = |unblocked: &mut bool| !*unblocked;
        let waited = self
            .0
            .unblock
            .wait_timeout_while(unblocked, 2 * super::HANG, blocked);
        assert!(!waited.unwrap().1.timed_out(), "a handler is not unblocked");
    }

    /// Lets the handlers that wait end, and those to come.
    pub fn release(&self) {
        self.0.released.send_replace(true);
    }

    /// Handlers to come wait again.
    pub fn hold_again(&self) {
        self.0.released.send_replace(false);
    }

    /// Lets the handlers that block go on, and those to come.
    pub fn unblock(&self) {
        *self.0.unblocked.lock().unwrap() = true;
        self.0.unblock.notify_all();
    }

    /// Handlers to come block again.
    pub fn block_again(&self) {
        *self.0.unblocked.lock().unwrap() = false;
    }

    /// How many handlers have begun in all.
    pub fn begun(&self) -> usize {
        *self.0.begun.borrow()
    }

    /// How many handlers are there now.
    pub fn running(&self) -> usize {
        *self.0.running.borrow()
    }

    /// How many have run at once, at most.
    pub fn most(&self) -> usize {
        self.0.most.load(Ordering::Relaxed)
    }

    /// Waits until exactly that many handlers are there.
    pub async fn until_running(&self, count: usize) {
        let mut running = self.0.running.subscribe();
        super::soon(running.wait_for(|running| *running == count))
            .await
            .unwrap();
    }

    /// Waits until at least that many handlers have begun.
    pub async fn until_begun(&self, count: usize) {
        let mut begun = self.0.begun.subscribe();
        super::soon(begun.wait_for(|begun| *begun >= count))
            .await
            .unwrap();
    }
}

/// A handler that is there.
pub struct Entered(Gauge);

impl Drop for Entered {
    fn drop(&mut self) {
        self.0.0.running.send_modify(|running| *running -= 1);
    }
}
