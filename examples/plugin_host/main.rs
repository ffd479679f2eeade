//! A host and its plugins: counts files in two processes of their own, each behind a private pipe.
//!
//! ```text
//! cargo run --release --example plugin_host -- README.md src
//! cargo run --release --example plugin_host -- --json | jq .total
//! cargo run --release --example plugin_host -- --crash-on lib.rs src
//! ```
//!
//! The host starts this very program again for each plugin. Start reading in `plugin.rs`, which has the service, and
//! go on to `keeper.rs`, which makes the calls and knows what to do when a plugin is gone.
#![forbid(unsafe_code)]

use std::ffi::OsString;
use std::io;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;
use futures_util::future::FutureExt;
use indicatif::{ProgressBar, ProgressStyle};
use tokio::signal;

mod board;
mod count;
mod host;
mod keeper;
mod plugin;
mod process;
mod report;
#[cfg_attr(unix, path = "signals_unix.rs")]
#[cfg_attr(windows, path = "signals_windows.rs")]
mod signals;
mod walk;

/// What a shell expects of a program that Ctrl-C ended: 128 and the number of the signal.
const INTERRUPTED: u8 = 130;

/// Counts lines, words and bytes as `wc` does under LC_ALL=C, and finds the most frequent words; plugin processes do
/// the work.
///
/// Ends with 0 if all is counted, with 1 if something is missing (standard error says what), with 2 if the arguments
/// are wrong.
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
        bar: bar(walk.files.iter().map(|file| file.bytes).sum()),
        interrupt: interrupt.clone(),
    };
    let counted = host.count(walk.files.clone()).await;
    host.bar.finish_and_clear();
    if interrupt.now_or_never().is_some() {
        report::say("interrupted");
        return ExitCode::from(INTERRUPTED);
    }
    let report = report::Report::new(&walk.files, counted, args.top);
    let printed = match args.json {
        true => report.print_json(),
        false => report.print_table(),
    };
    match printed {
        // Whoever reads has seen enough.
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => fail(&error),
        _ if report.is_incomplete() || walk.problems.iter().any(walk::Problem::is_failure) => {
            ExitCode::FAILURE
        }
        _ => ExitCode::SUCCESS,
    }
}

/// A progress bar on standard error; none where that is no terminal.
fn bar(bytes: u64) -> ProgressBar {
    let style = ProgressStyle::with_template("{wide_bar} {bytes}/{total_bytes} {bytes_per_sec}");
    ProgressBar::new(bytes).with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
}

fn fail(error: &dyn std::error::Error) -> ExitCode {
    report::say(&board::with_causes(error));
    ExitCode::FAILURE
}
