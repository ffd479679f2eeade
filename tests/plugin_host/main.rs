//! The main example as its user meets it: `plugin_host` run as a process, on trees made for the purpose.

mod busy;
mod crash;
#[path = "../support/example.rs"]
mod example;
#[cfg(unix)]
mod interrupt;
#[cfg(target_os = "linux")]
mod linux_files;
mod output;
mod program;
mod reference;
#[cfg(unix)]
mod signals;
mod stream;
mod tree;
#[cfg(unix)]
mod unix_files;

// Parts of the example with tests of their own: as an example it has no test harness.
#[allow(dead_code, reason = "only its tests are wanted here")]
#[path = "../../examples/plugin_host/count.rs"]
mod count;
#[allow(dead_code, reason = "only its tests are wanted here")]
#[path = "../../examples/plugin_host/walk.rs"]
mod walk;
