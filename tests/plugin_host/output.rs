//! What is counted, and how it is shown.

use crate::program::{plugin_host, run};
use crate::reference;
use crate::tree::{Tree, assert_same};

#[test]
fn odd_contents_are_counted_by_definition() {
    let tree = Tree::odd();
    let finished = run(plugin_host().arg("--json").current_dir(tree.root())).expect_code(0);
    assert_same(finished.json(), &tree.expected(&[]));
    assert_eq!(finished.stderr, "");
}

#[test]
fn odd_contents_are_counted_as_wc_does() {
    let tree = Tree::odd();
    if !reference::wc_agrees_on_words(tree.root()) {
        eprintln!("skipped: there is no wc here with the same idea of a word");
        return;
    }
    let finished = run(plugin_host().arg("--json").arg(tree.root())).expect_code(0);
    let document = finished.json();
    for row in document["files"].as_array().unwrap() {
        let path = row["path"].as_str().unwrap();
        let wc = reference::wc(path.as_ref()).unwrap();
        let counted = ["lines", "words", "bytes"].map(|what| row[what].as_u64().unwrap());
        assert_eq!(counted, [wc.lines, wc.words, wc.bytes], "{path}");
    }
}

#[test]
fn many_files_are_counted_and_added_up() {
    let tree = Tree::of_text(150);
    let finished = run(plugin_host().arg("--json").current_dir(tree.root())).expect_code(0);
    assert_same(finished.json(), &tree.expected(&[]));
}

#[test]
fn hidden_folders_and_target_are_left_out() {
    let mut tree = Tree::of_text(2);
    tree.write(".hidden-file", b"this one counts");
    tree.write_besides(".git/config", b"this one does not");
    tree.write_besides("deep/target/debug/x", b"nor this");
    let finished = run(plugin_host().arg("--json").current_dir(tree.root())).expect_code(0);
    assert_same(finished.json(), &tree.expected(&[]));
}

#[test]
fn a_file_named_twice_counts_twice() {
    let tree = Tree::of_text(1);
    let name = "file-000";
    let finished = run(plugin_host()
        .args(["--json", name, name])
        .current_dir(tree.root()))
    .expect_code(0);
    let document = finished.json();
    assert_eq!(document["total"]["files"], 2);
    assert_eq!(document["total"]["lines"], 2);
}

#[test]
fn an_empty_folder_counts_as_nothing() {
    let tree = Tree::new();
    let finished = run(plugin_host().arg("--json").current_dir(tree.root())).expect_code(0);
    assert_same(finished.json(), &tree.expected(&[]));
}

#[test]
fn a_path_that_does_not_exist_is_named_and_the_rest_is_counted() {
    let tree = Tree::of_text(3);
    let mut command = plugin_host();
    command.args(["--json", "file-000", "no-such-path", "file-001", "file-002"]);
    let finished = run(command.current_dir(tree.root())).expect_code(1);
    assert_same(finished.json(), &tree.expected(&[]));
    assert!(finished.stderr.contains("no-such-path"), "{}", finished.stderr);
}

#[test]
fn the_table_has_a_line_for_each_file_and_the_total() {
    let mut tree = Tree::new();
    tree.write("a", b"one two\nthree\n");
    tree.write("b", b"two\n");
    let finished = run(plugin_host().args(["--top", "1"]).current_dir(tree.root())).expect_code(0);
    let expected = "\
lines words bytes  file
    2     3    14  a
    1     1     4  b
    3     4    18  total of 2 files

the most frequent words
    2  two
";
    assert_eq!(finished.stdout, expected);
    assert_eq!(finished.stderr, "");
}

#[test]
fn control_characters_do_not_reach_the_terminal() {
    let tree = Tree::new();
    tree.write_besides("x", "\u{1b}[2Jcleared caf\u{e9}".as_bytes());
    let finished = run(plugin_host().current_dir(tree.root())).expect_code(0);
    assert!(
        finished.stdout.contains("1  \\u{1b}[2Jcleared\n"),
        "{}",
        finished.stdout
    );
    assert!(finished.stdout.contains("1  caf\u{e9}\n"), "{}", finished.stdout);
}

#[test]
fn a_wrong_option_is_refused() {
    let finished = run(plugin_host().arg("--no-such-option")).expect_code(2);
    assert!(
        finished.stderr.contains("--no-such-option"),
        "{}",
        finished.stderr
    );
}
