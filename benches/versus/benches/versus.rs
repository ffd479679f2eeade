//! How fast pipe-rpc is beside a bare pipe, and beside what one could use instead. See the README beside `Cargo.toml`.
//!
//! This process measures nothing itself. It starts, for each row, a server and a client, and has the clients take turns.

mod client;
mod figure;
mod job;
mod lane;
mod load;
mod measure;
mod options;
mod place;
mod plots;
mod process;
mod results;
mod row;
mod rows;
mod server;
mod setting;
mod system;
mod tables;
mod targets;
mod turns;
mod workload;
mod workloads;

use std::fs;
use std::io;
use std::process::ExitCode;

use clap::Parser;

use job::Job;
use options::Options;
use results::Results;

fn main() -> ExitCode {
    match Job::given() {
        Some(Job::Serve(job)) => server::run(&job),
        Some(Job::Call(job)) => client::run(&job),
        None => compare(&Options::parse()),
    }
}

fn compare(options: &Options) -> ExitCode {
    match try_compare(options) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn try_compare(options: &Options) -> io::Result<()> {
    let kept = options.kept()?;
    let mut results = Results::default();
    let missing = measure::all(options, &mut results)?;
    let all = kept.joined_by(&results);
    let targets = targets::markdown(&all);
    let tables = tables::markdown(if options.show { &all } else { &results });
    print!("\n{tables}{targets}");
    all.write(&options.output)?;
    if let Some(file) = &options.markdown {
        fs::write(file, tables::markdown(&all) + &targets)?;
    }
    if let Some(folder) = &options.plots {
        plots::draw(&all, folder)?;
    }
    match missing {
        0 => Ok(()),
        _ => Err(io::Error::other(format!(
            "{missing} measurements failed, see above"
        ))),
    }
}
