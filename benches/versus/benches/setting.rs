//! Where the two processes run, and on how many threads.

use clap::ValueEnum;
use serde::{Deserialize, Serialize};
use tokio::runtime::{Builder, Runtime};

use crate::system;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Setting {
    /// Both processes on one processor, each with one thread: nobody has to be woken on another, so that what is
    /// compared is software.
    OneCpu,
    /// Each process has one thread, and the system chooses where it runs.
    Free,
    /// Each process has two worker threads, and the system chooses where they run.
    Threads,
}

impl Setting {
    pub(crate) const ALL: [Self; 3] = [Self::OneCpu, Self::Free, Self::Threads];

    /// As on the command line and in the results.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::OneCpu => "one-cpu",
            Self::Free => "free",
            Self::Threads => "threads",
        }
    }

    /// Has this process run where the setting says. To be called before there are other threads.
    pub(crate) fn take_effect(self) {
        if self == Self::OneCpu {
            system::pin_to_first_cpu();
        }
    }

    /// A runtime as the setting has it.
    pub(crate) fn runtime(self) -> Runtime {
        let mut builder = match self {
            Self::OneCpu | Self::Free => Builder::new_current_thread(),
            Self::Threads => Builder::new_multi_thread(),
        };
        builder.worker_threads(2).enable_all().build().expect("a runtime")
    }
}
