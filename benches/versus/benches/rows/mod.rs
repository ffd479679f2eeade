//! The rows.

mod bare_waiting;
#[cfg(target_os = "linux")]
mod linux;
mod pipe_rpc;
mod tarpc;
#[cfg(windows)]
mod windows;

#[cfg(target_os = "linux")]
pub(crate) use linux::ALL;
#[cfg(target_os = "linux")]
use linux::blocking::{Listener, Pipe};
#[cfg(windows)]
pub(crate) use windows::ALL;
#[cfg(windows)]
use windows::overlapped_unsafe::{Listener, Pipe};

use crate::job::Call;
use crate::row::Row;
use crate::server::Serving;
use crate::turns::Turns;
use crate::workload::Workload;
use crate::workloads;

/// A row as the parts that know no row see it.
pub(crate) struct Entry {
    pub(crate) name: &'static str,
    pub(crate) has: &'static [Workload],
    pub(crate) serve: fn(Serving),
    pub(crate) connect: fn(&Call) -> Turns,
}

impl Entry {
    /// A row that does the workloads as all do.
    const fn of<R: Row>(name: &'static str) -> Self {
        Self {
            name,
            has: R::HAS,
            serve: serve::<R>,
            connect: workloads::connect::<R>,
        }
    }
}

fn serve<R: Row>(serving: Serving) {
    let runtime = serving.job.setting.runtime();
    runtime.block_on(R::serve(serving));
}

pub(crate) fn find(name: &str) -> Option<&'static Entry> {
    ALL.iter().find(|row| row.name == name)
}

pub(crate) fn names() -> impl Iterator<Item = &'static str> {
    ALL.iter().map(|row| row.name)
}

/// Those that a user could have instead.
pub(crate) fn peers() -> impl Iterator<Item = &'static str> {
    names().filter(|name| is_peer(name))
}

/// Neither ours nor a pipe alone.
pub(crate) fn is_peer(name: &str) -> bool {
    name != "pipe-rpc" && !name.starts_with("bare-")
}
