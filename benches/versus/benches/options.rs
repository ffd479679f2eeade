//! The command line.

use std::io;
use std::path::PathBuf;

use clap::Parser;
use clap::builder::PossibleValuesParser;

use crate::results::Results;
use crate::rows::{self, Entry};
use crate::setting::Setting;
use crate::workload::Workload;

/// The repository's target folder, from wherever it is run.
const OUTPUT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../target/versus.json");

/// The peer that `--quick` has, beside pipe-rpc and the bare rows, and the share that it has of the rounds.
const QUICK_PEER: &str = "tarpc";
const QUICK_SHARE: usize = 6;

/// How fast pipe-rpc is beside a bare pipe, and beside what one could use instead
#[derive(Parser)]
#[command(name = "versus")]
pub(crate) struct Options {
    /// The rows to measure; all unless given
    #[arg(long, value_delimiter = ',', value_parser = PossibleValuesParser::new(rows::names()))]
    rows: Vec<String>,

    /// The workloads to measure; all unless given
    #[arg(long, value_delimiter = ',', value_enum)]
    workloads: Vec<Workload>,

    /// The settings to measure in; all unless given
    #[arg(long, value_delimiter = ',', value_enum)]
    settings: Vec<Setting>,

    /// How many turns each row has; as many as the workload wants unless given
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..))]
    rounds: Option<u32>,

    /// Fewer rounds and, unless they are given, only pipe-rpc, the bare rows and tarpc: less than two minutes
    #[arg(long)]
    quick: bool,

    /// Where the results go; the `target/versus.json` of the repository unless given
    #[arg(long, default_value = OUTPUT, hide_default_value = true)]
    pub(crate) output: PathBuf,

    /// Keeps what that file has of other rows, workloads and settings
    #[arg(long)]
    merge: bool,

    /// Measures nothing, and shows what that file has
    #[arg(long)]
    pub(crate) show: bool,

    /// A file that the tables are written to as well
    #[arg(long)]
    pub(crate) markdown: Option<PathBuf>,

    /// A folder that plots of all results go to, as SVG
    #[arg(long)]
    pub(crate) plots: Option<PathBuf>,

    /// What cargo says to each bench
    #[arg(long, hide = true)]
    bench: bool,
}

impl Options {
    pub(crate) fn rows(&self) -> impl Iterator<Item = &'static Entry> {
        rows::ALL.iter().filter(|row| self.has_row(row.name))
    }

    fn has_row(&self, name: &str) -> bool {
        match self.rows.as_slice() {
            [] => !self.quick || name == QUICK_PEER || !rows::is_peer(name),
            rows => rows.iter().any(|row| row == name),
        }
    }

    pub(crate) fn workloads(&self) -> Vec<Workload> {
        all_unless_given(&self.workloads, &Workload::ALL)
    }

    /// None if nothing is to be measured.
    pub(crate) fn settings(&self) -> Vec<Setting> {
        if self.show {
            return Vec::new();
        }
        all_unless_given(&self.settings, &Setting::ALL)
    }

    pub(crate) fn rounds(&self, workload: Workload) -> usize {
        match (self.rounds, self.quick) {
            (Some(rounds), _) => rounds as usize,
            (None, true) => workload.rounds().div_ceil(QUICK_SHARE),
            (None, false) => workload.rounds(),
        }
    }

    /// The results that are there and stay.
    pub(crate) fn kept(&self) -> io::Result<Results> {
        if self.show || (self.merge && self.output.exists()) {
            return Results::read(&self.output);
        }
        Ok(Results::default())
    }
}

fn all_unless_given<T: Copy>(given: &[T], all: &[T]) -> Vec<T> {
    if given.is_empty() { all } else { given }.to_vec()
}
