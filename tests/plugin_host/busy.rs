//! A host with more to do than any test waits for.

use std::fs::File;
use std::process::Command;

use tempfile::TempDir;

use crate::program::{Running, plugin_host};

/// A host whose two plugins are at work.
pub(crate) struct Busy {
    pub(crate) running: Running,
    _folder: TempDir,
}

impl Busy {
    /// Starts it with `command`, which is `plugin_host` and perhaps more.
    pub(crate) fn start(mut command: Command) -> Self {
        let folder = tempfile::tempdir().expect("a folder can be made");
        let file = File::create(folder.path().join("z")).expect("a file can be made");
        file.set_len(64 << 20).expect("a file can be made large");
        command.args(["z"; 5_000]).current_dir(folder.path());
        Self {
            running: Running::start(&mut command, 2),
            _folder: folder,
        }
    }
}

#[test]
fn each_plugin_is_a_process_of_its_own_behind_a_pipe_of_its_own_and_ends_with_its_host() {
    let mut busy = Busy::start(plugin_host());
    let [first, second] = &busy.running.plugins[..] else {
        panic!("two plugins")
    };
    assert_ne!(first.process, second.process);
    assert!(![first.process, second.process].contains(&busy.running.host.id()));
    assert_ne!(first.pipe, second.pipe);
    busy.running.host.kill().unwrap();
    let (status, _) = busy.running.wait_for_all();
    assert!(!status.success());
}
