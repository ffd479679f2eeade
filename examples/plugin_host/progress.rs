//! What the host serves to its plugins: they report how far they have read, and the user sees it.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use indicatif::{ProgressBar, ProgressStyle};

use crate::report;
use crate::walk::Listed;

/// What a plugin can tell its host while it works.
#[pipe_rpc::service(name = "pipe-rpc.example.Progress")]
pub(crate) trait Progress {
    /// The file of `job` is read up to byte `to`, and about to be counted up to there.
    async fn has_read(&self, job: usize, to: u64);
}

/// Shows the reports of all plugins. Clones show on the same bar.
#[derive(Clone, Debug)]
pub(crate) struct Display {
    bar: ProgressBar,
    /// How far each file is read.
    read: Arc<Mutex<HashMap<usize, u64>>>,
    /// The files by their jobs, if each report is to be a line.
    lines: Option<Arc<[PathBuf]>>,
}

impl Display {
    /// A bar on standard error; none where that is no terminal.
    pub(crate) fn bar(files: &[Listed]) -> Self {
        let style = ProgressStyle::with_template("{wide_bar} {bytes}/{total_bytes} {bytes_per_sec}");
        let bar = ProgressBar::new(files.iter().map(|file| file.bytes).sum());
        Self {
            bar: bar.with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar())),
            read: Arc::default(),
            lines: None,
        }
    }

    /// A line on standard error for each report.
    pub(crate) fn lines(files: &[Listed]) -> Self {
        Self {
            bar: ProgressBar::hidden(),
            read: Arc::default(),
            lines: Some(files.iter().map(|file| file.path.clone()).collect()),
        }
    }

    /// Tells the user something, with the bar out of the way.
    pub(crate) fn say(&self, text: &str) {
        self.bar.suspend(|| report::say(text));
    }

    /// Takes the bar away.
    pub(crate) fn finish(&self) {
        self.bar.finish_and_clear();
    }
}

impl Progress for Display {
    async fn has_read(&self, job: usize, to: u64) {
        let mut read = self.read.lock().unwrap_or_else(PoisonError::into_inner);
        let before = read.entry(job).or_default();
        // What a plugin took with it when it died is read a second time.
        self.bar.inc(to.saturating_sub(*before));
        *before = to.max(*before);
        if let Some(path) = self.lines.as_ref().and_then(|files| files.get(job)) {
            report::say(&format!("{}: read up to byte {to}", path.display()));
        }
    }
}
