//! Pauses between attempts to connect: 1 to 50 ms, growing, with jitter so that a crowd does not come back at once.

use std::hash::{BuildHasher, RandomState};
use std::time::Duration;

const FIRST: Duration = Duration::from_millis(2);
const LONGEST: Duration = Duration::from_millis(50);

/// The pauses of one connect.
#[derive(Debug)]
pub(crate) struct Backoff {
    ceiling: Duration,
    random: RandomState,
    drawn: u32,
}

impl Backoff {
    pub(crate) fn new() -> Self {
        Self {
            ceiling: FIRST,
            random: RandomState::new(),
            drawn: 0,
        }
    }

    /// The next pause: between half the ceiling and all of it; the ceiling doubles up to 50 ms.
    pub(crate) fn next_pause(&mut self) -> Duration {
        let half = self.ceiling / 2;
        let pause = half + half.mul_f64(self.draw());
        self.ceiling = (self.ceiling * 2).min(LONGEST);
        pause
    }

    /// A number from 0 to 1. The standard library's hasher keys are random for each `Backoff`.
    fn draw(&mut self) -> f64 {
        self.drawn += 1;
        let bits = self.random.hash_one(self.drawn) as u32;
        f64::from(bits) / f64::from(u32::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_lie_between_1_and_50_ms_and_grow() {
        for _ in 0..100 {
            let mut backoff = Backoff::new();
            let pauses: Vec<_> = (0..20).map(|_| backoff.next_pause()).collect();
            assert!(pauses[0] >= Duration::from_millis(1) && pauses[0] <= FIRST);
            assert!(pauses.iter().all(|pause| *pause <= LONGEST));
            assert!(pauses[19] >= LONGEST / 2);
        }
    }

    #[test]
    fn two_clients_do_not_pause_alike() {
        let (mut one, mut other) = (Backoff::new(), Backoff::new());
        let draw = |backoff: &mut Backoff| (0..8).map(|_| backoff.next_pause()).collect::<Vec<_>>();
        assert_ne!(draw(&mut one), draw(&mut other));
    }
}
