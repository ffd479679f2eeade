//! Ratios of medians.

use super::target::{Bound, Target};
use crate::load::Load;
use crate::results::Results;
use crate::rows;
use crate::setting::Setting;
use crate::workload::Workload;

const OURS: &str = "pipe-rpc";

/// Where a figure is found.
#[derive(Clone, Copy)]
pub(super) struct At {
    setting: Setting,
    workload: Workload,
    row: &'static str,
    figure: &'static str,
    load: Load,
}

/// The figures that were measured.
pub(super) struct Ratios<'a>(pub(super) &'a Results);

/// One over another, if both are there.
pub(super) struct Ratio {
    what: String,
    setting: Setting,
    ratio: Option<f64>,
}

impl At {
    pub(super) fn ours(setting: Setting, workload: Workload, figure: &'static str) -> Self {
        Self {
            setting,
            workload,
            row: OURS,
            figure,
            load: Load::Nothing,
        }
    }

    /// The same of another row.
    pub(super) fn row(self, row: &'static str) -> Self {
        Self { row, ..self }
    }

    /// The same in another setting.
    pub(super) fn setting(self, setting: Setting) -> Self {
        Self { setting, ..self }
    }

    /// The same of another workload.
    pub(super) fn workload(self, workload: Workload) -> Self {
        Self { workload, ..self }
    }

    /// Another figure of the same.
    pub(super) fn figure(self, figure: &'static str) -> Self {
        Self { figure, ..self }
    }

    /// The same under a load.
    pub(super) fn load(self, load: Load) -> Self {
        Self { load, ..self }
    }

    fn label(self) -> String {
        self.load.label(self.row)
    }

    fn words(self) -> [String; 4] {
        let [workload, setting] = [self.workload.name(), self.setting.name()];
        [self.label(), workload.into(), self.figure.into(), setting.into()]
    }
}

impl Ratios<'_> {
    pub(super) fn of(&self, one: At, other: At) -> Ratio {
        Ratio {
            what: difference(one, other),
            setting: one.setting,
            ratio: self
                .median(one)
                .zip(self.median(other))
                .map(|(one, other)| one / other),
        }
    }

    /// The figure alone, of the few that are the same on any computer.
    pub(super) fn itself(&self, one: At) -> Ratio {
        let [row, workload, figure, _] = one.words();
        Ratio {
            what: format!("{row} {workload}: {figure}"),
            setting: one.setting,
            ratio: self.median(one),
        }
    }

    /// Ours over that of the peer that has most of it.
    pub(super) fn to_most(&self, ours: At) -> Ratio {
        let most = self
            .peers(ours)
            .max_by(|(_, one), (_, other)| one.total_cmp(other));
        self.to_peer(ours, most)
    }

    /// Ours over that of the peer that has least of it.
    pub(super) fn to_least(&self, ours: At) -> Ratio {
        let least = self
            .peers(ours)
            .min_by(|(_, one), (_, other)| one.total_cmp(other));
        self.to_peer(ours, least)
    }

    fn to_peer(&self, ours: At, peer: Option<(At, f64)>) -> Ratio {
        let peer = peer.map_or(ours.row("no peer"), |(peer, _)| peer);
        self.of(ours, peer)
    }

    /// The same of the rows that are neither ours nor bare, as far as it was measured.
    fn peers(&self, ours: At) -> impl Iterator<Item = (At, f64)> {
        rows::peers()
            .map(move |row| ours.row(row))
            .filter_map(|at| Some((at, self.median(at)?)))
    }

    fn median(&self, at: At) -> Option<f64> {
        self.0.median(at.setting, at.workload, &at.label(), at.figure)
    }
}

/// What both have, and in what they differ. The setting has a column of its own.
fn difference(one: At, other: At) -> String {
    let pairs = || one.words().into_iter().zip(other.words());
    let common = pairs().take(3).filter(|(one, other)| one == other);
    let common: Vec<String> = common.map(|(both, _)| both).collect();
    let differing = pairs().filter(|(one, other)| one != other);
    let differing: Vec<String> = differing.map(|(one, other)| format!("{one} / {other}")).collect();
    format!("{}: {}", common.join(" "), differing.join(", "))
}

impl Ratio {
    pub(super) fn at_most(self, most: f64) -> Option<Target> {
        self.wanted(Bound::AtMost(most))
    }

    pub(super) fn at_least(self, least: f64) -> Option<Target> {
        self.wanted(Bound::AtLeast(least))
    }

    fn wanted(self, wanted: Bound) -> Option<Target> {
        Some(Target {
            what: self.what,
            setting: self.setting.name(),
            wanted,
            ratio: self.ratio?,
        })
    }
}
