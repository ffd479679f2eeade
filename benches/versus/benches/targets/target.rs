//! One of them: a ratio of two figures, and how large it is to be.

pub(super) struct Target {
    pub(super) what: String,
    pub(super) setting: &'static str,
    pub(super) wanted: Bound,
    pub(super) ratio: f64,
}

pub(super) enum Bound {
    AtMost(f64),
    AtLeast(f64),
}

impl Target {
    pub(super) fn is_reached(&self) -> bool {
        match self.wanted {
            Bound::AtMost(most) => self.ratio <= most,
            Bound::AtLeast(least) => self.ratio >= least,
        }
    }

    /// As a table has them.
    pub(super) fn cells(&self) -> [String; 5] {
        let wanted = match self.wanted {
            Bound::AtMost(most) => format!("<= {most}"),
            Bound::AtLeast(least) => format!(">= {least}"),
        };
        let verdict = if self.is_reached() { "yes" } else { "NO" };
        [
            self.what.clone(),
            self.setting.to_owned(),
            wanted,
            format!("{:.2}", self.ratio),
            verdict.to_owned(),
        ]
    }
}
