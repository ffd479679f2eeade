//! What Ctrl-C leaves of a count.

use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::process::{Child, ChildStderr, Stdio};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use crate::program::plugin_host;
use crate::tree::{PIECE, Tree};

/// More bytes than any test waits for.
const ENDLESS: u64 = 1 << 40;

/// Reads the reports of `host` up to the one that says that file `endless` is read up to `byte`.
fn wait_for_report(host: &mut Child, byte: usize) -> BufReader<ChildStderr> {
    let mut told = BufReader::new(host.stderr.take().unwrap());
    let expected = format!("plugin_host: endless: read up to byte {byte}\n");
    let mut line = String::new();
    while line != expected {
        line.clear();
        assert!(told.read_line(&mut line).unwrap() > 0, "the host ended by itself");
    }
    told
}

#[test]
fn ctrl_c_in_the_middle_of_a_file_prints_what_has_come_of_it() {
    let tree = Tree::new();
    let endless = File::create(tree.path("endless")).unwrap();
    endless.set_len(ENDLESS).unwrap();
    let mut command = plugin_host();
    command.args(["--json", "--progress"]).current_dir(tree.root());
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut host = command.spawn().unwrap();
    // Its pieces are larger than what is under way, so the plugin is never as far ahead of what its host has taken.
    let mut told = wait_for_report(&mut host, 8 * PIECE);
    kill_process(Pid::from_child(&host), Signal::INT).unwrap();
    let mut rest = String::new();
    told.read_to_string(&mut rest).unwrap();
    let output = host.wait_with_output().unwrap();

    assert_eq!(output.status.code(), Some(130), "{rest}");
    let summary = "plugin_host: interrupted: of the files 0 are counted, 1 in part, 0 not at all\n";
    assert!(rest.ends_with(summary), "{rest}");
    let document: Value = serde_json::from_slice(&output.stdout).unwrap();
    let bytes = document["total"]["bytes"].as_u64().unwrap();
    assert!(bytes > 0 && bytes < ENDLESS, "{bytes}");
    // Zeros are no blanks and no words.
    let row =
        serde_json::json!({ "path": "endless", "bytes": bytes, "lines": 0, "words": 0, "partial": true });
    assert_eq!(document["files"], serde_json::json!([row]));
}
