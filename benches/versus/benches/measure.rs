//! Has the rows take turns, round by round, so that what else the computer does meets all of them.

use std::io;

use crate::job::Serve;
use crate::lane::Lane;
use crate::options::Options;
use crate::place::Places;
use crate::results::Results;
use crate::setting::Setting;
use crate::workload::Workload;

/// Measures what the options choose. Says how many measurements are missing, because something failed.
pub(crate) fn all(options: &Options, results: &mut Results) -> io::Result<usize> {
    let places = Places::new()?;
    let mut missing = 0;
    for setting in options.settings() {
        for workload in options.workloads() {
            eprintln!("{}, {}", setting.name(), workload.name());
            missing += one(options, &places, setting, workload, results);
        }
    }
    Ok(missing)
}

fn one(
    options: &Options,
    places: &Places,
    setting: Setting,
    workload: Workload,
    results: &mut Results,
) -> usize {
    let jobs: Vec<Serve> = options
        .rows()
        .filter(|row| row.has.contains(&workload))
        .flat_map(|row| workload.loads().iter().map(|&load| (row.name, load)))
        .map(|(row, load)| Serve {
            row: row.to_owned(),
            setting,
            workload,
            load,
            place: places.next(),
        })
        .collect();
    let wanted = jobs.len();
    let mut lanes: Vec<Lane> = jobs
        .into_iter()
        .filter_map(|job| or_tell(&job.label(), Lane::start(job)))
        .collect();
    for _ in 0..options.rounds(workload) {
        lanes.retain_mut(|lane| {
            let turn = lane.turn();
            or_tell(&lane.label(), turn).is_some()
        });
    }
    for lane in &lanes {
        results.add(setting, workload, &lane.label(), lane.turns());
    }
    wanted - lanes.len()
}

/// A row that fails is left out, and the others go on.
fn or_tell<T>(row: &str, outcome: io::Result<T>) -> Option<T> {
    outcome
        .inspect_err(|error| eprintln!("{row} is left out: {error}"))
        .ok()
}
