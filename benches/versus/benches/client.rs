//! The child that calls. Each line it reads is a turn, and it answers with the figures of that.

use std::io::{self, BufRead};
use std::process::ExitCode;
use std::time::{Duration, Instant};

use crate::figure::Figure;
use crate::job::Call;
use crate::process::{tell, tell_ready};
use crate::rows;
use crate::system::{self, CpuClock};
use crate::turns::{Told, Turns};
use crate::workload::Workload;

pub(crate) fn run(job: &Call) -> ExitCode {
    let serve = &job.serve;
    serve.setting.take_effect();
    system::raise_file_limit();
    let row = rows::find(&serve.row).expect("the parent knows the rows");
    let turns = (row.connect)(job);
    let mut client = Client::new(turns, serve.workload, job.server);
    tell_ready();
    for _ in io::stdin().lock().lines() {
        let figures = client.turn();
        tell(&serde_json::to_string(&figures).expect("plain data"));
    }
    ExitCode::SUCCESS
}

struct Client {
    turns: Turns,
    workload: Workload,
    /// How many calls a turn has, or what else its workload counts.
    calls: u64,
    clocks: [CpuClock; 2],
}

/// What a turn took.
struct Cost {
    wall: Duration,
    cpu: Option<Duration>,
    told: Told,
}

impl Client {
    fn new(turns: Turns, workload: Workload, server: u32) -> Self {
        let clocks = [CpuClock::of(std::process::id()), CpuClock::of(server)];
        let mut client = Self {
            turns,
            workload,
            calls: workload.step(),
            clocks,
        };
        client.find_calls();
        client
    }

    /// How many calls take as long as a turn should; it is found by calling, which also warms both ends up.
    fn find_calls(&mut self) {
        let step = self.workload.step();
        loop {
            let took = self.run().wall;
            if 2 * took >= self.workload.turn() {
                let calls = self.calls as f64 * self.workload.turn().div_duration_f64(took);
                self.calls = (calls as u64 / step).max(1) * step;
                return;
            }
            self.calls *= 2;
        }
    }

    fn turn(&mut self) -> Vec<Figure> {
        let cost = self.run();
        let calls = cost.told.calls().unwrap_or(self.calls) as f64;
        let mut figures = cost.told.figures();
        figures.push(Figure::micros("wall", cost.wall, calls));
        if let Some(rate) = self.workload.rate() {
            let per_second = calls * rate.per_call / cost.wall.as_secs_f64();
            figures.push(Figure::new("rate", per_second, rate.unit));
        }
        if let Some(cpu) = cost.cpu {
            figures.push(Figure::micros("cpu", cpu, calls));
        }
        figures.extend(self.turns.figures.iter().cloned());
        figures
    }

    /// Clocks are read outside of what they measure; a turn is long enough for that not to count.
    fn run(&mut self) -> Cost {
        let cpu = self.cpu_time();
        let start = Instant::now();
        let told = (self.turns.run)(self.calls);
        let wall = start.elapsed();
        let cpu = cpu.zip(self.cpu_time()).map(|(before, after)| after - before);
        Cost { wall, cpu, told }
    }

    /// Of all threads of both ends, where the system tells it.
    fn cpu_time(&self) -> Option<Duration> {
        self.clocks.iter().map(CpuClock::now).sum()
    }
}
