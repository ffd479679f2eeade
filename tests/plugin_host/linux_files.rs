//! Files that only Linux has.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;

use crate::program::{plugin_host, run};
use crate::tree::{Tree, assert_same};

#[test]
fn a_name_that_is_not_unicode_is_counted_and_shown_as_well_as_can_be() {
    let tree = Tree::new();
    let name = OsStr::from_bytes(b"caf\xe9");
    fs::write(tree.root().join(name), "one two\n").unwrap();
    let mut command = plugin_host();
    let finished = run(command.args(["--json".as_ref(), name]).current_dir(tree.root())).expect_code(0);
    let expected = serde_json::json!([{ "path": "caf\u{fffd}", "bytes": 8, "lines": 1, "words": 2 }]);
    assert_eq!(finished.json()["files"], expected);
}

#[test]
fn a_file_that_fails_while_it_is_read_is_named_and_the_rest_is_counted() {
    let tree = Tree::of_text(3);
    // Nothing is mapped at address 0, so that the first read fails, for every user.
    let unreadable = "/proc/self/mem";
    let mut command = plugin_host();
    command.args(["--json", unreadable, "file-000", "file-001", "file-002"]);
    let finished = run(command.current_dir(tree.root())).expect_code(1);
    assert_same(finished.json(), &tree.expected(&[]));
    let told = format!("plugin_host: {unreadable}: Input/output error (os error 5)\n");
    assert_eq!(finished.stderr, told);
}
