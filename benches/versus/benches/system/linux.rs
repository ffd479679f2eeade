//! Linux.

use std::path::{Path, PathBuf};
use std::time::Duration;

use nix::time::{ClockId, clock_getcpuclockid};
use nix::unistd::Pid;
use rustix::thread::{CpuSet, sched_setaffinity};

/// Has this thread, and those that it starts, run on the first processor.
pub(crate) fn pin_to_first_cpu() {
    let mut first = CpuSet::new();
    first.set(0);
    sched_setaffinity(None, &first).expect("the first processor is there for us");
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
