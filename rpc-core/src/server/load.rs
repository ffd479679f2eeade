//! Which methods hold up the reader, and so get tasks of their own.

use std::sync::atomic::{AtomicU8, Ordering};
use std::time::{Duration, Instant};

/// A handler that holds its thread for longer than this at a stretch is slow.
const SLOW: Duration = Duration::from_micros(200);

/// A handler that returns within this is quick.
const QUICK: Duration = Duration::from_micros(50);

/// How many quick runs make a slow method one that runs where its calls arrive. A preempted thread looks like a slow
/// handler, so the judgement is never for good.
const FORGIVEN_AFTER: u8 = 32;

/// How many quick runs after that, or from the start, make it one that is trusted.
const TRUSTED_AFTER: u8 = 32;

/// Of the runs of trusted methods that come alone, one in so many is timed: two readings of the clock are a tenth of what
/// this end does for such a call.
const TIMED_EVERY: u8 = 8;

/// How a method of one server has behaved.
#[derive(Debug)]
pub(crate) struct MethodLoad {
    /// How many quick runs are still wanted: more than [`TRUSTED_AFTER`] of a slow method, 0 of one that is trusted.
    wanted: AtomicU8,
}

impl Default for MethodLoad {
    fn default() -> Self {
        Self {
            wanted: AtomicU8::new(TRUSTED_AFTER),
        }
    }
}

impl MethodLoad {
    /// Whether its handlers are to have tasks of their own from the start.
    #[inline]
    pub(crate) fn is_slow(&self) -> bool {
        self.wanted.load(Ordering::Relaxed) > TRUSTED_AFTER
    }

    #[inline]
    fn is_trusted(&self) -> bool {
        self.wanted.load(Ordering::Relaxed) == 0
    }

    fn judge(&self, took: Duration) {
        if took > SLOW {
            self.wanted
                .store(TRUSTED_AFTER + FORGIVEN_AFTER, Ordering::Relaxed);
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
        if self.is_slow() { self.time(poll) } else { poll() }
    }

    fn time<R>(&self, poll: impl FnOnce() -> R) -> R {
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
    timed: Timed,
    /// How many handlers came alone since one was timed whatever its method.
    alone: u8,
}

/// Which handlers of a batch are timed one by one.
#[derive(Clone, Copy, Debug, Default)]
enum Timed {
    #[default]
    None,
    /// Those of methods that are not trusted yet.
    Untrusted,
    All,
}

/// When a batch began, if it is timed as a whole.
pub(crate) struct Watched(Option<Instant>);

impl Watch {
    #[inline]
    pub(crate) fn start(&mut self, handlers: usize) -> Watched {
        let suspicious = std::mem::take(&mut self.suspicious);
        let alone = handlers == 1;
        self.alone = (self.alone + u8::from(alone)) % TIMED_EVERY;
        self.timed = match (suspicious, alone) {
            (true, _) => Timed::All,
            (false, true) if self.alone == 0 => Timed::All,
            (false, true) => Timed::Untrusted,
            (false, false) => Timed::None,
        };
        Watched(matches!(self.timed, Timed::None).then(Instant::now))
    }

    #[inline]
    pub(crate) fn run<R>(&self, load: &MethodLoad, poll: impl FnOnce() -> R) -> R {
        let timed = match self.timed {
            Timed::None => false,
            Timed::Untrusted => !load.is_trusted(),
            Timed::All => true,
        };
        if timed { load.time(poll) } else { poll() }
    }

    #[inline]
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
        assert!(!load.is_slow());
        load.judge(SLOW * 2);
        for _ in 0..FORGIVEN_AFTER {
            assert!(load.is_slow());
            load.judge(Duration::ZERO);
        }
        assert!(!load.is_slow());
    }

    #[test]
    fn a_method_is_trusted_after_enough_quick_runs_and_no_more_after_a_slow_one() {
        let load = MethodLoad::default();
        for _ in 0..TRUSTED_AFTER {
            assert!(!load.is_trusted());
            load.judge(Duration::ZERO);
        }
        assert!(load.is_trusted());
        load.judge(SLOW * 2);
        assert!(!load.is_trusted());
    }

    #[test]
    fn a_trusted_method_that_becomes_slow_is_found_out_though_few_of_its_runs_are_timed() {
        let load = MethodLoad {
            wanted: AtomicU8::new(0),
        };
        let mut watch = Watch::default();
        for _ in 0..TIMED_EVERY {
            let batch = watch.start(1);
            watch.run(&load, || std::thread::sleep(SLOW * 2));
            watch.stop(batch);
        }
        assert!(load.is_slow());
    }
}
