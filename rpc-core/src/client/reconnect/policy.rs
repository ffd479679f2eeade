//! How often and for how long.

use std::time::Duration;

use backon::{BackoffBuilder as _, ExponentialBuilder};

use crate::client::RetryLayer;

/// No pause is shorter, so that no setting makes a busy loop.
const SHORTEST_PAUSE: Duration = Duration::from_millis(1);

/// No pause is longer, jitter apart.
const LONGEST_PAUSE: Duration = Duration::from_secs(60 * 60);

/// How a client comes back to its server, how long its callers wait meanwhile, and how often a call is tried.
///
/// A lost connection is made anew at once; after that there are pauses, which begin with `first_pause` and grow by
/// `factor` up to `max_pause`. They begin anew after a connection that lasted for longer than `max_pause`, so that a
/// server that dies as soon as it has come up is not hammered.
///
/// ```
/// use std::time::Duration;
/// use pipe_rpc_core::client::ReconnectPolicy;
///
/// let policy = ReconnectPolicy::default()
///     .first_pause(Duration::from_millis(5))
///     .max_wait(Duration::from_secs(3))
///     .give_up_after(100);
/// ```
#[derive(Clone, Debug)]
#[must_use = "a policy does nothing until a client has it"]
pub struct ReconnectPolicy {
    first_pause: Duration,
    factor: f32,
    max_pause: Duration,
    jitter: bool,
    pub(super) max_wait: Duration,
    pub(super) give_up_after: Option<u32>,
    max_attempts: u8,
}

impl Default for ReconnectPolicy {
    /// 10 ms, doubled up to 1 s, with jitter; callers wait for 10 s; it never gives up; 4 attempts for a call.
    fn default() -> Self {
        Self {
            first_pause: Duration::from_millis(10),
            factor: 2.0,
            max_pause: Duration::from_secs(1),
            jitter: true,
            max_wait: Duration::from_secs(10),
            give_up_after: None,
            max_attempts: RetryLayer::MAX_ATTEMPTS,
        }
    }
}

impl ReconnectPolicy {
    /// The pause after the first attempt that failed; at least 1 ms, 10 ms unless set.
    pub fn first_pause(mut self, pause: Duration) -> Self {
        self.first_pause = pause;
        self
    }

    /// What the pauses grow by each time; at least 1, 2 unless set.
    pub fn factor(mut self, factor: f32) -> Self {
        self.factor = factor;
        self
    }

    /// The longest pause, jitter apart; from 1 ms to one hour, 1 s unless set. A server that says when to come again
    /// is left alone until then, however long.
    pub fn max_pause(mut self, pause: Duration) -> Self {
        self.max_pause = pause;
        self
    }

    /// Whether each pause is lengthened at random, up to twice its length, so that a crowd of clients does not come
    /// back at once; yes unless set.
    pub fn jitter(mut self, jitter: bool) -> Self {
        self.jitter = jitter;
        self
    }

    /// How long a call waits for a connection before it fails as "not sent"; 10 s unless set. A call's own deadline
    /// holds too, and connecting goes on in either case.
    pub fn max_wait(mut self, limit: Duration) -> Self {
        self.max_wait = limit;
        self
    }

    /// Gives up for good after that many attempts in a row without a connection; at least 1, never unless set. All
    /// calls then fail at once.
    pub fn give_up_after(mut self, attempts: u32) -> Self {
        self.give_up_after = Some(attempts.max(1));
        self
    }

    /// How often a call that may have run is sent in all, if its method is idempotent; at least 1, 4 unless set.
    /// Calls that surely did not run do not count.
    pub fn max_attempts(mut self, attempts: u8) -> Self {
        self.max_attempts = attempts;
        self
    }

    /// The pauses between attempts, without an end.
    pub(super) fn pauses(&self) -> impl Iterator<Item = Duration> + Send + use<> {
        let max_pause = self.longest_pause();
        let factor = if self.factor >= 1.0 { self.factor } else { 1.0 };
        let pauses = ExponentialBuilder::new()
            .with_min_delay(self.first_pause.clamp(SHORTEST_PAUSE, max_pause))
            .with_factor(factor)
            .with_max_delay(max_pause)
            .without_max_times();
        let pauses = if self.jitter { pauses.with_jitter() } else { pauses };
        pauses.build()
    }

    pub(super) fn longest_pause(&self) -> Duration {
        self.max_pause.clamp(SHORTEST_PAUSE, LONGEST_PAUSE)
    }

    /// What tries the calls again.
    pub(super) fn retry(&self) -> RetryLayer {
        RetryLayer::new()
            .max_attempts(self.max_attempts)
            .max_wait(self.max_wait)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: Duration = Duration::from_millis(1);

    fn first(policy: &ReconnectPolicy, count: usize) -> Vec<Duration> {
        policy.pauses().take(count).collect()
    }

    #[test]
    fn pauses_grow_by_the_factor_up_to_the_longest() {
        let policy = ReconnectPolicy::default()
            .first_pause(10 * MS)
            .max_pause(100 * MS)
            .jitter(false);
        let pauses = first(&policy, 6);
        // They are reckoned in single precision.
        let millis: Vec<_> = pauses
            .iter()
            .map(|pause| (pause.as_secs_f64() * 1000.0).round())
            .collect();
        assert_eq!(millis, [10.0, 20.0, 40.0, 80.0, 100.0, 100.0]);
    }

    #[test]
    fn jitter_lengthens_a_pause_to_at_most_twice_itself() {
        let policy = ReconnectPolicy::default().first_pause(10 * MS).max_pause(40 * MS);
        for _ in 0..100 {
            for (pause, plain) in policy.pauses().zip([10 * MS, 20 * MS, 40 * MS, 40 * MS]) {
                let slack = MS / 100;
                assert!(pause + slack >= plain && pause <= 2 * plain + slack, "{pause:?}");
            }
        }
    }

    #[test]
    fn two_clients_do_not_pause_alike() {
        let policy = ReconnectPolicy::default();
        assert_ne!(first(&policy, 8), first(&policy, 8));
    }

    #[test]
    fn no_setting_makes_a_busy_loop_or_a_panic() {
        for factor in [0.0, -1.0, f32::NAN, f32::INFINITY] {
            for pause in [Duration::ZERO, Duration::MAX] {
                let policy = ReconnectPolicy::default().factor(factor);
                let policy = policy.first_pause(pause).max_pause(pause);
                let pauses = first(&policy, 40);
                assert!(
                    pauses
                        .iter()
                        .all(|pause| *pause >= SHORTEST_PAUSE && *pause <= 2 * LONGEST_PAUSE)
                );
            }
        }
    }
}
