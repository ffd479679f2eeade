//! Has the rows take turns, round by round, so that what else the computer does meets all of them.

use std::io;

use crate::job::Serve;
use crate::lane::Lane;
use crate::options::Options;
use crate::place::Places;
use crate::results::Results;
use crate::setting::Setting;
use crate::workload::Workload;

/// Measures what the options choose.
pub(crate) fn all(options: &Options, results: &mut Results) -> io::Result<()> {
    let places = Places::new()?;
    for setting in options.settings() {
        for workload in options.workloads() {
            eprintln!("{}, {}", setting.name(), workload.name());
            one(options, &places, setting, workload, results);
        }
    }
    Ok(())
}

fn one(options: &Options, places: &Places, setting: Setting, workload: Workload, results: &mut Results) {
    let mut lanes: Vec<Lane> = options
        .rows()
        .filter(|row| row.has.contains(&workload))
        .flat_map(|row| workload.loads().iter().map(|&load| (row.name, load)))
        .filter_map(|(row, load)| {
            let job = Serve {
                row: row.to_owned(),
                setting,
                workload,
                load,
                place: places.next(),
            };
            or_tell(&load.label(row), Lane::start(job))
        })
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
}

/// A row that fails is left out, and the others go on.
fn or_tell<T>(row: &str, outcome: io::Result<T>) -> Option<T> {
    outcome
        .inspect_err(|error| eprintln!("{row} is left out: {error}"))
        .ok()
}
