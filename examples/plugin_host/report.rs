//! What the user gets to see: a table or a JSON document on standard output, everything else on standard error.

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use serde::Serialize;

use crate::board::{Counted, Outcome, with_causes};
use crate::count::Counts;
use crate::walk::Listed;

/// The result in full.
#[derive(Debug, Serialize)]
pub(crate) struct Report {
    files: Vec<Row>,
    total: Total,
    top: Vec<(String, u64)>,
    #[serde(skip)]
    missing: usize,
    /// What no plugin came to, and what is counted in part only.
    #[serde(skip)]
    unfinished: Vec<PathBuf>,
}

#[derive(Debug, Serialize)]
struct Row {
    /// What is not Unicode in it is replaced.
    path: String,
    #[serde(flatten)]
    counts: Counts,
    /// The counting was stopped before the end of the file.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    partial: bool,
}

#[derive(Debug, Default, Serialize)]
struct Total {
    files: u64,
    #[serde(flatten)]
    counts: Counts,
}

impl Report {
    /// Puts the result together with the `top` most frequent words, and names on standard error what is missing.
    pub(crate) fn new(listed: &[Listed], counted: Counted, top: usize) -> Self {
        let mut report = Self {
            files: Vec::with_capacity(listed.len()),
            total: Total::default(),
            top: Vec::new(),
            missing: 0,
            unfinished: Vec::new(),
        };
        for (file, outcome) in listed.iter().zip(counted.files) {
            match outcome {
                Outcome::Whole(counts) => report.add(&file.path, counts, false),
                Outcome::Failed(error) => report.miss(&file.path, &with_causes(&error)),
                Outcome::Unfinished(counts) => {
                    report.unfinished.push(file.path.clone());
                    if counts.bytes > 0 {
                        report.add(&file.path, counts, true);
                    }
                }
            }
        }
        let words = counted.vocabulary.top(top).into_iter();
        report.top = words
            .map(|(word, times)| (String::from_utf8_lossy(word).into_owned(), times))
            .collect();
        report
    }

    /// Whether a file is missing.
    pub(crate) fn is_incomplete(&self) -> bool {
        self.missing > 0 || !self.unfinished.is_empty()
    }

    /// Names on standard error what no plugin was left to finish.
    pub(crate) fn name_unfinished(&self) {
        for path in &self.unfinished {
            let path = path.display();
            say(&format!(
                "{path}: not counted to its end, no plugin was left to do it"
            ));
        }
    }

    /// Says on standard error how much there is of what was asked for.
    pub(crate) fn say_how_far(&self) {
        let partial = self.files.iter().filter(|row| row.partial).count();
        let whole = self.files.len() - partial;
        let not = self.unfinished.len() - partial;
        say(&format!(
            "interrupted: of the files {whole} are counted, {partial} in part, {not} not at all"
        ));
    }

    /// Prints one line of JSON.
    pub(crate) fn print_json(&self) -> io::Result<()> {
        let mut out = io::stdout().lock();
        serde_json::to_writer(&mut out, self)?;
        writeln!(out)?;
        out.flush()
    }

    /// Prints a table for people.
    pub(crate) fn print_table(&self) -> io::Result<()> {
        let mut out = io::BufWriter::new(io::stdout().lock());
        let width = self.total.counts.bytes.to_string().len().max("lines".len());
        writeln!(
            out,
            "{:>width$} {:>width$} {:>width$}  file",
            "lines", "words", "bytes"
        )?;
        for row in &self.files {
            let name = plain(&row.path) + if row.partial { " (in part)" } else { "" };
            row.counts.print(&mut out, width, &name)?;
        }
        let files = self.total.files;
        let name = format!("total of {files} file{}", if files == 1 { "" } else { "s" });
        self.total.counts.print(&mut out, width, &name)?;
        if !self.top.is_empty() {
            writeln!(out, "\nthe most frequent words")?;
        }
        for (word, times) in &self.top {
            writeln!(out, "{times:>width$}  {}", plain(word))?;
        }
        out.flush()
    }

    fn add(&mut self, path: &Path, counts: Counts, partial: bool) {
        self.total.files += 1;
        self.total.counts.add(counts);
        let path = path.to_string_lossy().into_owned();
        self.files.push(Row {
            path,
            counts,
            partial,
        });
    }

    fn miss(&mut self, path: &Path, why: &str) {
        self.missing += 1;
        say(&format!("{}: {why}", path.display()));
    }
}

impl Counts {
    fn print(&self, out: &mut impl Write, width: usize, name: &str) -> io::Result<()> {
        let Self { lines, words, bytes } = self;
        writeln!(out, "{lines:>width$} {words:>width$} {bytes:>width$}  {name}")
    }
}

/// Writes a message to standard error; if nobody can read it there is nobody to tell.
pub(crate) fn say(text: &str) {
    _ = writeln!(io::stderr().lock(), "plugin_host: {text}");
}

/// A terminal takes control characters for commands: they are shown by their names.
fn plain(text: &str) -> String {
    let escape = |c: char| match c.is_control() {
        true => c.escape_default().to_string(),
        false => c.to_string(),
    };
    text.chars().map(escape).collect()
}
