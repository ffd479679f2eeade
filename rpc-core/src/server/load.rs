//! Which methods hold up the reader, and so get tasks of their own.

use std::sync::atomic::{AtomicU8, Ordering};
use std::time::{Duration, Instant};

/// A handler that holds its thread for longer than this at a stretch is slow.
const SLOW: Duration = Duration::from_micros(200);

/// A handler that returns within this is quick.
const QUICK: Duration = Duration::from_micros(50);

/// How many quick runs in a row make a slow method quick again. A preempted thread looks like a slow handler, so the
/// judgement is never for good.
const FORGIVEN_AFTER: u8 = 32;

/// How a method of one server has behaved.
#[derive(Debug, Default)]
pub(crate) struct MethodLoad {
    /// How many quick runs are still wanted; 0 is a quick method.
    wanted: AtomicU8,
}

impl MethodLoad {
    /// Whether its handlers are to have tasks of their own from the start.
    pub(crate) fn is_slow(&self) -> bool {
        self.wanted.load(Ordering::Relaxed) > 0
    }

    fn judge(&self, took: Duration) {
        if took > SLOW {
            self.wanted.store(FORGIVEN_AFTER, Ordering::Relaxed);
        } else if took < QUICK {
            let one_less = |wanted: u8| wanted.checked_sub(1);
            // Nothing to do if it was 0.
            let _ = self
                .wanted
                .fetch_update(Ordering::Relaxed, Ordering::Relaxed, one_less);
        }
    }

    /// Runs the first poll of a handler in a task of its own, and judges it if the method is slow.
    pub(crate) fn watch_first_poll<R>(&self, poll: impl FnOnce() -> R) -> R {
        if !self.is_slow() {
            return poll();
        }
        let start = Instant::now();
        let polled = poll();
        self.judge(start.elapsed());
        polled
    }
}

/// Watches the handlers that run where they arrive. A batch of several is timed as a whole, with two readings of the
/// clock; only in the batch after a slow one, when the slow one among several is not known, each handler is timed.
#[derive(Debug, Default)]
pub(crate) struct Watch {
    suspicious: bool,
    each: bool,
}

/// When a batch began, if it is timed as a whole.
pub(crate) struct Watched(Option<Instant>);

impl Watch {
    pub(crate) fn start(&mut self, handlers: usize) -> Watched {
        self.each = handlers == 1 || std::mem::take(&mut self.suspicious);
        Watched((!self.each).then(Instant::now))
    }

    #[inline]
    pub(crate) fn run<R>(&self, load: &MethodLoad, poll: impl FnOnce() -> R) -> R {
        let start = self.each.then(Instant::now);
        let polled = poll();
        if let Some(start) = start {
            load.judge(start.elapsed());
        }
        polled
    }

    pub(crate) fn stop(&mut self, batch: Watched) {
        self.suspicious = batch.0.is_some_and(|start| start.elapsed() > SLOW);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slow_method_is_forgiven_after_enough_quick_runs() {
        let load = MethodLoad::default();
        load.judge(SLOW * 2);
        for _ in 0..FORGIVEN_AFTER {
            assert!(load.is_slow());
            load.judge(Duration::ZERO);
        }
        assert!(!load.is_slow());
    }
}
