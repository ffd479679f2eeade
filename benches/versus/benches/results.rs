//! What all turns come to, as it is written to `versus.json`:
//! `{"setting":{"workload":{"row":{"figure":{"median":..,"min":..,"max":..,"unit":".."}}}}}`.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::figure::Figure;
use crate::setting::Setting;
use crate::workload::Workload;

#[derive(Clone, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct Results(BTreeMap<Setting, BTreeMap<Workload, Rows>>);

/// By name. Tables are in the order of [`rows::ALL`](crate::rows::ALL).
pub(crate) type Rows = BTreeMap<String, BTreeMap<String, Summary>>;

/// A figure over all turns.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Summary {
    pub(crate) median: f64,
    pub(crate) min: f64,
    pub(crate) max: f64,
    pub(crate) unit: String,
}

impl Results {
    pub(crate) fn read(path: &Path) -> io::Result<Self> {
        let read = fs::read(path).and_then(|text| Ok(serde_json::from_slice(&text)?));
        read.map_err(|error| about(path, &error))
    }

    pub(crate) fn write(&self, path: &Path) -> io::Result<()> {
        let folder = path.parent().unwrap_or(Path::new("."));
        let written =
            fs::create_dir_all(folder).and_then(|()| fs::write(path, serde_json::to_vec_pretty(self)?));
        written.map_err(|error| about(path, &error))
    }

    /// Takes in how a row's turns went.
    pub(crate) fn add(&mut self, setting: Setting, workload: Workload, row: &str, turns: &[Vec<Figure>]) {
        let mut values: BTreeMap<&str, (Vec<f64>, &str)> = BTreeMap::new();
        for figure in turns.iter().flatten() {
            let (values, _) = values.entry(&figure.name).or_insert((Vec::new(), &figure.unit));
            values.push(figure.value);
        }
        let summaries = values
            .into_iter()
            .map(|(name, (values, unit))| (name.to_owned(), Summary::of(values, unit)));
        let rows = self.0.entry(setting).or_default().entry(workload).or_default();
        rows.insert(row.to_owned(), summaries.collect());
    }

    /// With what the others have, which goes before what was there.
    pub(crate) fn joined_by(mut self, others: &Self) -> Self {
        for (&setting, workloads) in &others.0 {
            for (&workload, rows) in workloads {
                let here = self.0.entry(setting).or_default().entry(workload).or_default();
                here.extend(rows.clone());
            }
        }
        self
    }

    /// Setting by setting, and workload by workload.
    pub(crate) fn groups(&self) -> impl Iterator<Item = (Setting, Workload, &Rows)> {
        self.0.iter().flat_map(|(&setting, workloads)| {
            workloads
                .iter()
                .map(move |(&workload, rows)| (setting, workload, rows))
        })
    }

    /// What was measured of a workload.
    pub(crate) fn rows(&self, setting: Setting, workload: Workload) -> Option<&Rows> {
        self.0.get(&setting)?.get(&workload)
    }

    /// The median of a figure, if it was measured.
    pub(crate) fn median(
        &self,
        setting: Setting,
        workload: Workload,
        row: &str,
        figure: &str,
    ) -> Option<f64> {
        let summary = self.rows(setting, workload)?.get(row)?.get(figure)?;
        Some(summary.median)
    }
}

impl Summary {
    fn of(mut values: Vec<f64>, unit: &str) -> Self {
        values.sort_by(f64::total_cmp);
        Self {
            median: values[values.len() / 2],
            min: values[0],
            max: values[values.len() - 1],
            unit: unit.to_owned(),
        }
    }
}

fn about(path: &Path, error: &io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("{}: {error}", path.display()))
}
