//! A plugin that dies in the middle of a file.

use crate::program::{plugin_host, run};
use crate::tree::{Tree, assert_same};

#[test]
fn a_crash_costs_only_the_file_that_causes_it() {
    let tree = Tree::of_text(60);
    let mut command = plugin_host();
    command.args(["--json", "--crash-on", "file-031"]);
    let finished = run(command.current_dir(tree.root())).expect_code(1);
    assert_same(finished.json(), &tree.expected(&["file-031"]));
    let told = &finished.stderr;
    let summary = told
        .lines()
        .find(|line| line.starts_with("plugin_host: file-031: "));
    let summary = summary.unwrap_or_else(|| panic!("{told}"));
    assert!(summary.contains("the call may have run"), "{told}");
    assert!(summary.contains("the connection was lost"), "{told}");
    assert!(told.contains("it is started again"), "{told}");
}

#[test]
fn a_crash_on_the_only_file_still_ends_in_order() {
    let mut tree = Tree::new();
    tree.write("only", b"");
    let mut command = plugin_host();
    command.args(["--json", "--crash-on", "only"]);
    let finished = run(command.current_dir(tree.root())).expect_code(1);
    assert_same(finished.json(), &tree.expected(&["only"]));
}

#[test]
fn a_crash_in_a_later_piece_loses_nothing_of_other_files() {
    let mut tree = Tree::of_text(5);
    tree.write("large", &b"many words ".repeat(300_000));
    let mut command = plugin_host();
    command.args(["--json", "--crash-on", "large"]);
    let finished = run(command.current_dir(tree.root())).expect_code(1);
    assert_same(finished.json(), &tree.expected(&["large"]));
}

#[test]
fn a_name_that_no_file_has_crashes_nothing() {
    let tree = Tree::of_text(5);
    let mut command = plugin_host();
    command.args(["--json", "--crash-on", "nobody"]);
    let finished = run(command.current_dir(tree.root())).expect_code(0);
    assert_same(finished.json(), &tree.expected(&[]));
}
