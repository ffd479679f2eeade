//! Pieces that come as they are counted, and plugins that call their host meanwhile.

use crate::program::{plugin_host, run};
use crate::tree::{PIECE, Tree, assert_same};

#[test]
fn the_plugins_report_to_their_host_how_far_they_have_read_each_file() {
    let mut tree = Tree::new();
    tree.write("large", &vec![b' '; 2 * PIECE + 7]);
    tree.write("small", b"one two\n");
    let mut command = plugin_host();
    let finished = run(command.args(["--json", "--progress"]).current_dir(tree.root())).expect_code(0);
    assert_same(finished.json(), &tree.expected(&[]));
    let reports = |file: &str| -> Vec<usize> {
        let begin = format!("plugin_host: {file}: read up to byte ");
        let lines = finished.stderr.lines();
        lines
            .filter_map(|line| line.strip_prefix(&begin)?.parse().ok())
            .collect()
    };
    assert_eq!(reports("large"), [PIECE, 2 * PIECE, 2 * PIECE + 7]);
    assert_eq!(reports("small"), [8]);
    assert_eq!(finished.stderr.lines().count(), 4, "{}", finished.stderr);
}

#[test]
fn a_crash_in_a_later_piece_has_only_the_rest_asked_for_again() {
    let mut tree = Tree::of_text(5);
    tree.write("large", &vec![b' '; 9 * PIECE]);
    let mut command = plugin_host();
    command.args(["--json", "--progress", "--crash-on", "large"]);
    let finished = run(command.current_dir(tree.root())).expect_code(1);
    assert_same(finished.json(), &tree.expected(&["large"]));
    let first_again = format!("plugin_host: large: read up to byte {PIECE}\n");
    assert_eq!(
        finished.stderr.matches(&first_again).count(),
        1,
        "{}",
        finished.stderr
    );
}
