//! What is drawn together: some workloads, and in each how many times as long as the bare pipe a row takes.

use crate::results::{Results, Rows, Summary};
use crate::rows;
use crate::setting::Setting;
use crate::tables::number;
use crate::workload::Workload;

/// What a bare pipe does with one packet for each message, on either system.
const BARE: [&str; 2] = ["bare-tokio", "bare-overlapped"];

/// What it does with what is at hand in one packet; nothing else of it streams.
const PACKED: [&str; 1] = ["bare-packed"];

pub(super) const GROUPS: [Group; 4] = [
    Group {
        name: "small",
        title: "Calls of 64 bytes",
        bars: &[
            bars(Workload::Rtt64, "one at a time, median", "p50", &BARE),
            bars(Workload::Pipe64, "64 at a time on one connection", "rate", &BARE),
            bars(Workload::Conns, "on 500 connections at a time", "rate", &BARE),
            bars(Workload::Connect, "connect, one call, close", "wall", &BARE),
        ],
    },
    Group {
        name: "large",
        title: "Large bodies",
        bars: &[
            bars(Workload::Bulk1m, "1 MiB of bytes", "rate", &BARE),
            bars(Workload::Bulk64m, "64 MiB of bytes", "rate", &BARE),
            bars(Workload::Vec1m, "1 MiB as a Vec<u8>", "rate", &BARE),
        ],
    },
    Group {
        name: "cpu",
        title: "Processor time of both ends",
        bars: &[
            bars(Workload::Rtt64, "64 bytes, one at a time", "cpu", &BARE),
            bars(Workload::Pipe64, "64 bytes, 64 at a time", "cpu", &BARE),
            bars(Workload::Bulk1m, "1 MiB of bytes", "cpu", &BARE),
        ],
    },
    Group {
        name: "stream",
        title: "Streams from the server",
        bars: &[bars(Workload::Stream64, "items of 64 bytes", "rate", &PACKED)],
    },
];

pub(super) struct Group {
    /// In the name of its file.
    pub(super) name: &'static str,
    pub(super) title: &'static str,
    bars: &'static [Bars],
}

/// A bar for each row of a workload.
struct Bars {
    workload: Workload,
    title: &'static str,
    figure: &'static str,
    /// The rows that the others are beside; the first that was measured counts.
    base: &'static [&'static str],
}

/// A shorter way to write it.
const fn bars(
    workload: Workload,
    title: &'static str,
    figure: &'static str,
    base: &'static [&'static str],
) -> Bars {
    Bars {
        workload,
        title,
        figure,
        base,
    }
}

/// The bars of a workload, shortest first.
pub(super) struct Section {
    pub(super) title: &'static str,
    pub(super) bars: Vec<Bar>,
}

pub(super) struct Bar {
    pub(super) row: &'static str,
    pub(super) ratio: f64,
    /// What was measured.
    pub(super) value: String,
}

impl Group {
    /// Those that were measured beside a bare row, and something else with them.
    pub(super) fn sections(&self, results: &Results, setting: Setting) -> Vec<Section> {
        self.bars
            .iter()
            .filter_map(|bars| bars.section(results.rows(setting, bars.workload)?))
            .filter(|section| section.bars.len() > 1)
            .collect()
    }
}

impl Bars {
    fn section(&self, rows: &Rows) -> Option<Section> {
        let measured = |row: &str| rows.get(row)?.get(self.figure);
        let base = self.base.iter().find_map(|row| measured(row))?;
        let mut bars: Vec<Bar> = rows::names()
            .filter_map(|row| Some((row, measured(row)?)))
            .map(|(row, told)| Bar {
                row,
                ratio: times_as_long(told, base),
                value: format!("{} {}", number(told.median), told.unit),
            })
            .collect();
        bars.sort_by(|one, other| one.ratio.total_cmp(&other.ratio));
        let title = self.title;
        Some(Section { title, bars })
    }
}

/// Of a rate, the one that is less takes longer.
fn times_as_long(told: &Summary, base: &Summary) -> f64 {
    if told.unit.ends_with("/s") {
        base.median / told.median
    } else {
        told.median / base.median
    }
}
