//! Files that only Unix has.

use std::os::unix::fs::symlink;
use std::process::Command;

use crate::program::{plugin_host, run};
use crate::tree::{Tree, assert_same};

fn make_fifo(tree: &Tree, name: &str) {
    let made = Command::new("mkfifo").arg(tree.path(name)).status().unwrap();
    assert!(made.success());
}

#[test]
fn symlinks_in_a_folder_are_passed_over_and_named_ones_are_followed() {
    let tree = Tree::of_text(2);
    symlink("file-000", tree.path("link")).unwrap();
    symlink(".", tree.path("loop")).unwrap();
    let mut command = plugin_host();
    let finished = run(command.arg("--json").current_dir(tree.root())).expect_code(0);
    assert_same(finished.json(), &tree.expected(&[]));

    let mut command = plugin_host();
    let named = run(command.args(["--json", "link"]).current_dir(tree.root())).expect_code(0);
    let document = named.json();
    assert_eq!(document["files"][0]["path"], "link");
    assert_eq!(document["total"]["lines"], 1);
}

#[test]
fn a_fifo_is_skipped_with_a_word() {
    let tree = Tree::of_text(2);
    make_fifo(&tree, "fifo");
    let mut command = plugin_host();
    let found = run(command.arg("--json").current_dir(tree.root())).expect_code(0);
    assert_same(found.json(), &tree.expected(&[]));
    assert_eq!(found.stderr, "plugin_host: fifo: skipped, it is not a file\n");

    let mut command = plugin_host();
    let named = run(command.args(["--json", "fifo"]).current_dir(tree.root())).expect_code(1);
    assert!(named.stderr.contains("fifo: not a file"), "{}", named.stderr);
}

#[test]
fn a_link_that_leads_nowhere_is_named() {
    let tree = Tree::of_text(2);
    symlink("nowhere", tree.path("link")).unwrap();
    let mut command = plugin_host();
    command.args(["--json", "file-000", "file-001", "link"]);
    let finished = run(command.current_dir(tree.root())).expect_code(1);
    assert_same(finished.json(), &tree.expected(&[]));
    assert!(finished.stderr.contains("link: "), "{}", finished.stderr);
}
