//! A host and its plugins: counts files in two processes of their own, each behind a private pipe.
//!
//! ```text
//! cargo run --release --example plugin_host -- README.md src
//! cargo run --release --example plugin_host -- --json | jq .total
//! cargo run --release --example plugin_host -- --crash-on lib.rs src
//! ```
//!
//! The host starts this very program again for each plugin. Start reading in `plugin.rs`, which has the service that streams
//! counts, and in `progress.rs`, which has the one that plugins call back. Go on to `keeper.rs`, which makes the calls and
//! knows what to do when a plugin is gone. Ctrl-C ends the counting and shows how far it came.
#![forbid(unsafe_code)]

use std::ffi::OsString;
use std::io;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;
use futures_util::future::FutureExt;
use tokio::signal;

mod board;
mod count;
mod host;
mod keeper;
mod plugin;
mod process;
mod progress;
mod reading;
mod report;
#[cfg_attr(unix, path = "signals_unix.rs")]
#[cfg_attr(windows, path = "signals_windows.rs")]
mod signals;
mod walk;

use progress::Display;

/// What a shell expects of a program that Ctrl-C ended: 128 and the number of the signal.
const INTERRUPTED: u8 = 130;

/// Counts lines, words and bytes as `wc` does under LC_ALL=C, and finds the most frequent words; plugin processes do
/// the work.
///
/// Ends with 0 if all is counted, with 1 if something is missing (standard error says what), with 2 if the arguments
/// are wrong, with 130 if Ctrl-C ended it: then it shows what is counted so far.
#[derive(Debug, Parser)]
#[command(name = "plugin_host", version)]
struct Args {
    /// Files and folders; none is the current folder. Hidden folders and `target` in them are left out.
    paths: Vec<PathBuf>,
    /// Print one JSON document instead of the table.
    #[arg(long)]
    json: bool,
    /// How many of the most frequent words to show.
    #[arg(long, value_name = "N", default_value_t = 10)]
    top: usize,
    /// Have a plugin kill itself in the middle of the file of this path or name.
    #[arg(long, value_name = "NAME", allow_hyphen_values = true)]
    crash_on: Option<OsString>,
    /// Write a line for each report of a plugin, in place of a bar.
    #[arg(long)]
    progress: bool,
    /// Tell about the plugins.
    #[arg(short, long)]
    verbose: bool,
    /// Be a plugin that serves on this pipe.
    #[arg(long, value_name = "PIPE", hide = true)]
    plugin: Option<String>,
}

fn main() -> ExitCode {
    let args = Args::parse();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = match runtime {
        Ok(runtime) => runtime,
        Err(error) => return fail(&error),
    };
    let code = match &args.plugin {
        Some(pipe) => runtime.block_on(plugin(pipe, args.crash_on.clone())),
        None => runtime.block_on(host(args)),
    };
    // A count that hangs in a read is not waited for.
    runtime.shutdown_background();
    code
}

async fn plugin(pipe: &str, crash_on: Option<OsString>) -> ExitCode {
    match plugin::run(pipe, crash_on).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => fail(&*error),
    }
}

async fn host(args: Args) -> ExitCode {
    let walk = walk::Walk::over(&args.paths);
    walk.problems
        .iter()
        .for_each(|problem| report::say(&problem.to_string()));
    let interrupt = async { _ = signal::ctrl_c().await }.boxed().shared();
    let host = host::Host {
        crash_on: args.crash_on,
        verbose: args.verbose,
        display: match args.progress {
            true => Display::lines(&walk.files),
            false => Display::bar(&walk.files),
        },
        interrupt: interrupt.clone(),
    };
    let counted = host.count(walk.files.clone()).await;
    host.display.finish();
    let report = report::Report::new(&walk.files, counted, args.top);
    let is_interrupted = interrupt.now_or_never().is_some();
    match is_interrupted {
        true => report.say_how_far(),
        false => report.name_unfinished(),
    }
    let printed = match args.json {
        true => report.print_json(),
        false => report.print_table(),
    };
    match printed {
        // Whoever reads has seen enough.
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => fail(&error),
        _ if is_interrupted => ExitCode::from(INTERRUPTED),
        _ if report.is_incomplete() || walk.problems.iter().any(walk::Problem::is_failure) => {
            ExitCode::FAILURE
        }
        _ => ExitCode::SUCCESS,
    }
}

fn fail(error: &dyn std::error::Error) -> ExitCode {
    report::say(&board::with_causes(error));
    ExitCode::FAILURE
}
