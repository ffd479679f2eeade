//! The targets. Each is a ratio of two medians of one run.

use super::target::{Bound, Target};
use crate::results::Results;
use crate::rows;
use crate::setting::Setting::{self, Free, OneCpu, Threads};
use crate::workload::Workload::{self, Bulk1m, Bulk64m, Pipe64, Rtt64, Vec1m};

const OURS: &str = "pipe-rpc";
const BARE: &str = "bare-tokio";
const PACKED: &str = "bare-packed";

/// How many times as long as ours a sequential call of each peer is to take.
const PEERS: [(&str, f64); 6] = [
    ("tarpc", 1.6),
    ("capnp", 1.7),
    ("zbus", 1.7),
    ("ttrpc", 1.7),
    ("tonic", 3.0),
    ("remoc", 5.0),
];

/// Those whose figures are all there.
pub(super) fn all(results: &Results) -> Vec<Target> {
    let view = View(results);
    let mut targets: Vec<Option<Target>> = vec![view.ours_to(BARE, OneCpu, Rtt64, "p50").at_most(1.15)];
    targets.extend(PEERS.map(|(peer, least)| view.to_ours(peer, OneCpu, Rtt64, "p50").at_least(least)));
    targets.push(view.ours_to_least(Free, Rtt64, "cpu").at_most(1.0));
    targets.push(view.ours_to_most(OneCpu, Pipe64, "rate").at_least(4.0));
    targets.push(view.ours_to_most(Threads, Pipe64, "rate").at_least(4.0));
    targets.push(view.threads_to_free(Pipe64, "rate").at_least(0.8));
    targets.push(view.ours_to(PACKED, OneCpu, Pipe64, "cpu").at_most(4.0));
    for setting in [OneCpu, Free] {
        for bulk in [Bulk1m, Bulk64m] {
            targets.push(view.ours_to(BARE, setting, bulk, "rate").at_least(0.95));
            targets.push(view.ours_to_most(setting, bulk, "rate").at_least(1.0));
        }
    }
    targets.push(view.ours_to(BARE, OneCpu, Vec1m, "rate").at_least(0.9));
    targets.into_iter().flatten().collect()
}

struct View<'a>(&'a Results);

/// A ratio, if its figures are there.
struct Ratio {
    what: String,
    setting: &'static str,
    ratio: Option<f64>,
}

impl View<'_> {
    /// Ours over another's.
    fn ours_to(&self, other: &str, setting: Setting, workload: Workload, figure: &str) -> Ratio {
        let value = |row| self.0.median(setting, workload, row, figure);
        Ratio {
            what: format!("{} {figure}: {OURS} / {other}", workload.name()),
            setting: setting.name(),
            ratio: over(value(OURS), value(other)),
        }
    }

    /// Another's over ours.
    fn to_ours(&self, other: &str, setting: Setting, workload: Workload, figure: &str) -> Ratio {
        let value = |row| self.0.median(setting, workload, row, figure);
        Ratio {
            what: format!("{} {figure}: {other} / {OURS}", workload.name()),
            setting: setting.name(),
            ratio: over(value(other), value(OURS)),
        }
    }

    /// Ours over that of the peer that has most of it.
    fn ours_to_most(&self, setting: Setting, workload: Workload, figure: &str) -> Ratio {
        let peers = self.peers(setting, workload, figure);
        let most = peers.max_by(|(_, one), (_, other)| one.total_cmp(other));
        self.ours_to(
            most.map_or("the first peer", |(peer, _)| peer),
            setting,
            workload,
            figure,
        )
    }

    /// Ours over that of the peer that has least of it.
    fn ours_to_least(&self, setting: Setting, workload: Workload, figure: &str) -> Ratio {
        let peers = self.peers(setting, workload, figure);
        let least = peers.min_by(|(_, one), (_, other)| one.total_cmp(other));
        self.ours_to(
            least.map_or("the first peer", |(peer, _)| peer),
            setting,
            workload,
            figure,
        )
    }

    /// Ours with two threads over ours with one.
    fn threads_to_free(&self, workload: Workload, figure: &str) -> Ratio {
        let value = |setting| self.0.median(setting, workload, OURS, figure);
        Ratio {
            what: format!("{} {figure}: threads / free", workload.name()),
            setting: Threads.name(),
            ratio: over(value(Threads), value(Free)),
        }
    }

    /// The rows that are neither ours nor bare, with their figures.
    fn peers<'a>(
        &'a self,
        setting: Setting,
        workload: Workload,
        figure: &'a str,
    ) -> impl Iterator<Item = (&'static str, f64)> + 'a {
        rows::peers().filter_map(move |row| Some((row, self.0.median(setting, workload, row, figure)?)))
    }
}

impl Ratio {
    fn at_most(self, most: f64) -> Option<Target> {
        self.wanted(Bound::AtMost(most))
    }

    fn at_least(self, least: f64) -> Option<Target> {
        self.wanted(Bound::AtLeast(least))
    }

    fn wanted(self, wanted: Bound) -> Option<Target> {
        Some(Target {
            what: self.what,
            setting: self.setting,
            wanted,
            ratio: self.ratio?,
        })
    }
}

fn over(one: Option<f64>, other: Option<f64>) -> Option<f64> {
    Some(one? / other?)
}
