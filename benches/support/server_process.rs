//! The child process that serves. It ends with its parent.

use std::env;
use std::process::{Child, Command, Stdio, exit};

/// Which role a child has is told by this environment variable: its arguments are the bench harness's.
const ROLE: &str = "PIPE_RPC_BENCH_ROLE";

/// A child of this process, running the same program in another role; killed when it is dropped.
pub(super) struct ServerProcess(Child);

/// The role this process was started for.
pub(super) fn role() -> Option<String> {
    env::var(ROLE).ok()
}

/// Does nothing more once this process is done: what serves does not go on to measure.
pub(super) fn done() -> ! {
    exit(0)
}

impl ServerProcess {
    /// Starts this program once more. The child's standard input is `link`; at its end the child is to end.
    pub(super) fn start(role: &str, arguments: &[&str], link: Stdio) -> Self {
        let program = env::current_exe().expect("this program has a path");
        let child = Command::new(program)
            .args(arguments)
            .env(ROLE, role)
            .stdin(link)
            .spawn();
        Self(child.expect("this program can be started once more"))
    }
}

impl Drop for ServerProcess {
    fn drop(&mut self) {
        // It fails only if the child has ended already.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
