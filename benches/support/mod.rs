//! The rows that the benches measure: echoes between this process and a child of it that serves.

#[cfg(target_os = "linux")]
mod bare;
#[cfg(not(target_os = "linux"))]
mod no_bare;
mod rpc;
mod server_process;

#[cfg(not(target_os = "linux"))]
use no_bare as bare;

use std::time::Duration;

use tokio::runtime::Runtime;

/// How many callers share a connection in the row of that name.
pub(crate) const CALLERS: u64 = 64;

/// The size of the large row.
pub(crate) const LARGE: usize = 1 << 20;

/// A client of one server process.
pub(crate) trait Row {
    /// How long the next `calls` echoes take, one after the other or 64 at once, as the row has it.
    fn run(&mut self, calls: u64) -> Duration;
}

/// The rows of one kind of echo: first the bare socket, where there is one, then pipe-rpc.
pub(crate) struct Group {
    pub(crate) name: &'static str,
    /// How many bytes an echo carries each way.
    pub(crate) bytes: usize,
    pub(crate) rows: Vec<(&'static str, Box<dyn Row>)>,
}

pub(crate) fn groups() -> Vec<Group> {
    let group = |name, bytes, bare: Option<Box<dyn Row>>, rpc: Box<dyn Row>| Group {
        name,
        bytes,
        rows: bare
            .map(|row| ("bare", row))
            .into_iter()
            .chain([("pipe-rpc", rpc)])
            .collect(),
    };
    let mut one = group("one caller, 64 B", 64, bare::one(), rpc::one());
    one.rows.push(("in block_on", rpc::one_in_block_on()));
    vec![
        one,
        group("64 callers, 64 B", 64, bare::many(), rpc::many()),
        group("one caller, 1 MiB", LARGE, bare::large(), rpc::large()),
    ]
}

/// Serves, if that is what this process was started for; it then ends with its parent.
pub(crate) fn serve_if_told() {
    match server_process::role().as_deref() {
        Some(rpc::ROLE) => rpc::serve(),
        Some(bare::ROLE) => bare::serve(),
        _ => {}
    }
}

fn runtime() -> Runtime {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime")
}
