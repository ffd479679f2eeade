//! How many times as long as on a bare socket an echo takes. The rows take turns, so that what else the computer does
//! meets all of them; what is told of each is its median round, and the processor time of both processes.
//!
//! On one processor, so that none has to be woken up: `taskset -c 0 cargo bench --bench ratios`.

#[allow(dead_code, reason = "each bench uses a part of it")]
mod support;

use std::fs;
use std::time::Duration;

use support::{Group, Row};

/// How many times each row has its turn.
const ROUNDS: usize = 100;

/// How long such a turn is to take, about.
const TURN: Duration = Duration::from_millis(20);

fn main() {
    support::serve_if_told();
    // `cargo test --benches` only wants to know that it runs.
    let is_bench = std::env::args().any(|argument| argument == "--bench");
    let rounds = if is_bench { ROUNDS } else { 1 };
    let wanted = std::env::args()
        .skip(1)
        .find(|argument| !argument.starts_with('-'))
        .unwrap_or_default();
    println!(
        "{:<28}{:>12}{:>12}{:>9}{:>9}",
        "", "µs a call", "CPU µs", "ratio", "CPU"
    );
    support::groups()
        .into_iter()
        .filter(|group| group.name.contains(&wanted))
        .for_each(|group| measure(group, rounds));
}

fn measure(group: Group, rounds: usize) {
    let mut turns: Vec<Turns> = group
        .rows
        .into_iter()
        .map(|(name, row)| Turns::new(name, row))
        .collect();
    for _ in 0..rounds {
        turns.iter_mut().for_each(Turns::take);
    }
    let told: Vec<_> = turns.iter_mut().map(Turns::medians).collect();
    let (bare_time, bare_cpu) = told[0];
    for (turns, (time, cpu)) in turns.iter().zip(&told) {
        let name = format!("{}: {}", group.name, turns.name);
        let (ratio, cpu_ratio) = (time / bare_time, cpu / bare_cpu);
        println!("{name:<28}{time:>12.2}{cpu:>12.2}{ratio:>9.2}{cpu_ratio:>9.2}");
    }
}

/// A row and how its turns went, in microseconds a call.
struct Turns {
    name: &'static str,
    row: Box<dyn Row>,
    calls: u64,
    times: Vec<f64>,
    cpu_times: Vec<f64>,
}

impl Turns {
    fn new(name: &'static str, mut row: Box<dyn Row>) -> Self {
        let first = row.run(64).max(Duration::from_micros(1));
        // A multiple of 64, so that no row has a call more than it tells.
        let calls = (64 * (TURN.as_nanos() / first.as_nanos())).clamp(64, 1 << 20) as u64;
        Self {
            name,
            row,
            calls,
            times: Vec::new(),
            cpu_times: Vec::new(),
        }
    }

    fn take(&mut self) {
        let before = self.cpu_time();
        let took = self.row.run(self.calls);
        let cpu = self.cpu_time().saturating_sub(before);
        self.times.push(took.as_secs_f64() * 1e6 / self.calls as f64);
        self.cpu_times.push(cpu.as_secs_f64() * 1e6 / self.calls as f64);
    }

    /// The time that both processes' main threads were running, where the system tells; else 0.
    fn cpu_time(&self) -> Duration {
        let server = self.row.server().id().to_string();
        ["self", &server].into_iter().map(running_time).sum()
    }

    fn medians(&mut self) -> (f64, f64) {
        (median(&mut self.times), median(&mut self.cpu_times))
    }
}

/// <https://docs.kernel.org/scheduler/sched-stats.html#proc-pid-schedstat>
fn running_time(process: &str) -> Duration {
    let told = fs::read_to_string(format!("/proc/{process}/schedstat")).unwrap_or_default();
    let nanos = told.split(' ').next().and_then(|nanos| nanos.parse().ok());
    Duration::from_nanos(nanos.unwrap_or(0))
}

fn median(values: &mut [f64]) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
