//! What a row's client gives to be measured.

use std::time::Instant;

use crate::figure::Figure;

/// A client that is connected, and takes turns.
pub(crate) struct Turns {
    /// Makes this many calls. The parent measures around it.
    pub(crate) run: Box<dyn FnMut(u64) -> Vec<Series>>,
    /// What was found out before the first turn.
    pub(crate) figures: Vec<Figure>,
}

impl Turns {
    pub(crate) fn new(run: impl FnMut(u64) -> Vec<Series> + 'static) -> Self {
        Self {
            run: Box::new(run),
            figures: Vec::new(),
        }
    }
}

/// How long single calls took.
pub(crate) struct Series {
    /// In front of its figures' names.
    prefix: &'static str,
    nanos: Vec<u32>,
    last: Instant,
}

impl Series {
    /// The first call starts now.
    pub(crate) fn start(prefix: &'static str, calls: u64) -> Self {
        let nanos = Vec::with_capacity(calls as usize);
        let last = Instant::now();
        Self { prefix, nanos, last }
    }

    /// A call has ended, and the next one starts: the clock is read once for both.
    pub(crate) fn lap(&mut self) {
        let now = Instant::now();
        let took = (now - self.last).as_nanos();
        self.nanos.push(u32::try_from(took).unwrap_or(u32::MAX));
        self.last = now;
    }

    pub(crate) fn figures(mut self) -> Vec<Figure> {
        self.nanos.sort_unstable();
        [("p50", 0.5), ("p99", 0.99)]
            .into_iter()
            .filter_map(|(name, quantile)| {
                let place = (self.nanos.len() as f64 * quantile) as usize;
                let nanos = *self.nanos.get(place)?;
                Some(Figure::new(
                    &format!("{}{name}", self.prefix),
                    f64::from(nanos) / 1e3,
                    "µs",
                ))
            })
            .collect()
    }
}
