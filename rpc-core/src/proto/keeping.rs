//! For how long the memory of very large bodies is kept for further ones: while they come, and a little longer.
//!
//! To touch the pages of 64 fresh MiB takes longer than to carry them, but a process that is done with them wants its
//! memory back.

use std::time::{Duration, Instant};

use super::kept::{KeepVeryLarge, is_very_large};

/// How long after such a body has begun the next one is waited for: as long as jemalloc waits before it gives memory back
/// (`opt.dirty_decay_ms`, <https://jemalloc.net/jemalloc.3.html>).
const LINGER: Duration = Duration::from_secs(10);

/// One connection's wish that the memory be kept.
#[derive(Debug, Default)]
pub(super) struct Keeping(Option<(Instant, KeepVeryLarge)>);

impl Keeping {
    /// A body of that size begins to arrive. When [`handle_timeout`](Self::handle_timeout) is to be called, if it is not
    /// known yet.
    pub(super) fn on_body(&mut self, total: u64, now: impl FnOnce() -> Instant) -> Option<Instant> {
        if !is_very_large(total) {
            return None;
        }
        let until = now() + LINGER;
        if let Some((known, _)) = &mut self.0 {
            *known = until;
            return None;
        }
        self.0 = Some((until, KeepVeryLarge::new()));
        Some(until)
    }

    pub(super) fn handle_timeout(&mut self, now: Instant) {
        self.0.take_if(|(until, _)| *until <= now);
    }

    pub(super) fn next_timeout(&self) -> Option<Instant> {
        self.0.as_ref().map(|(until, _)| *until)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_memory_is_kept_until_no_such_body_has_begun_for_a_while() {
        let start = Instant::now();
        let after = |seconds| start + Duration::from_secs(seconds);
        let mut keeping = Keeping::default();
        assert_eq!(keeping.on_body(1 << 20, || panic!("nobody needs the time")), None);
        assert_eq!(keeping.on_body(64 << 20, || start), Some(after(10)));
        assert_eq!(keeping.on_body(64 << 20, || after(9)), None, "the timer is set");
        keeping.handle_timeout(after(10));
        assert_eq!(keeping.next_timeout(), Some(after(19)));
        keeping.handle_timeout(after(19));
        assert_eq!(keeping.next_timeout(), None);
    }
}
