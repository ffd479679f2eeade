//! Linux.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use nix::time::{ClockId, clock_getcpuclockid};
use nix::unistd::Pid;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use rustix::thread::{CpuSet, sched_setaffinity};

/// Has this thread, and those that it starts, run on the first processor.
pub(crate) fn pin_to_first_cpu() {
    let mut first = CpuSet::new();
    first.set(0);
    sched_setaffinity(None, &first).expect("the first processor is there for us");
}

/// Lets this process have as many files as it may, and says how many. Its children have the same limit.
pub(crate) fn raise_file_limit() -> u64 {
    let maximum = getrlimit(Resource::Nofile).maximum;
    let raised = Rlimit {
        current: maximum,
        maximum,
    };
    setrlimit(Resource::Nofile, raised).expect("a process may have what it may have at most");
    maximum.unwrap_or(u64::MAX)
}

/// How many bytes of a process's memory are there in fact; what the kernel holds for it is not counted.
pub(crate) fn resident_memory(process: u32) -> Option<u64> {
    let told = fs::read_to_string(format!("/proc/{process}/smaps_rollup")).ok()?;
    let resident = told.lines().find_map(|line| line.strip_prefix("Rss:"))?;
    let kib: u64 = resident.trim().strip_suffix(" kB")?.parse().ok()?;
    Some(kib * 1024)
}

/// How long all threads of a process have run, those that ended included.
pub(crate) struct CpuClock(ClockId);

impl CpuClock {
    pub(crate) fn of(process: u32) -> Self {
        let process = Pid::from_raw(process.cast_signed());
        Self(clock_getcpuclockid(process).expect("the process runs"))
    }

    pub(crate) fn now(&self) -> Option<Duration> {
        self.0.now().ok().map(Duration::from)
    }
}

/// A socket of that name, in a folder of ours.
pub(crate) fn place_path(folder: &Path, name: &str) -> PathBuf {
    folder.join(name)
}
