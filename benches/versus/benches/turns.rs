//! What a row's client gives to be measured.

use std::time::Instant;

use crate::figure::Figure;

/// A client that is connected, and takes turns.
pub(crate) struct Turns {
    /// Makes this many calls. Whoever has this measures around it.
    pub(crate) run: Box<dyn FnMut(u64) -> Told>,
    /// What was found out before the first turn.
    pub(crate) figures: Vec<Figure>,
}

/// What a turn itself has to tell, beside how long it took.
#[derive(Default)]
pub(crate) struct Told {
    series: Vec<Series>,
    figures: Vec<Figure>,
}

/// How long single calls took.
pub(crate) struct Series {
    /// In front of its figures' names.
    prefix: &'static str,
    nanos: Vec<u32>,
    last: Instant,
}

impl Turns {
    pub(crate) fn new<T: Into<Told>>(mut run: impl FnMut(u64) -> T + 'static) -> Self {
        Self {
            run: Box::new(move |calls| run(calls).into()),
            figures: Vec::new(),
        }
    }
}

impl Told {
    pub(crate) fn with(mut self, figure: Figure) -> Self {
        self.figures.push(figure);
        self
    }

    /// How many calls it timed one by one, if any.
    pub(crate) fn calls(&self) -> Option<u64> {
        let calls = self.series.iter().map(Series::calls).sum();
        (calls > 0).then_some(calls)
    }

    /// To be asked for once the clocks have been read: it sorts.
    pub(crate) fn figures(self) -> Vec<Figure> {
        let series = self.series.into_iter().flat_map(Series::figures);
        series.chain(self.figures).collect()
    }
}

impl From<Vec<Series>> for Told {
    fn from(series: Vec<Series>) -> Self {
        let figures = Vec::new();
        Self { series, figures }
    }
}

impl From<Series> for Told {
    fn from(series: Series) -> Self {
        vec![series].into()
    }
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

    /// How many calls have ended.
    pub(crate) fn calls(&self) -> u64 {
        self.nanos.len() as u64
    }

    fn figures(mut self) -> Vec<Figure> {
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
