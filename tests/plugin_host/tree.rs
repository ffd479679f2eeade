//! Trees of files with all that a counter can trip over.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;
use tempfile::TempDir;

use crate::reference::{self, Counts};

/// How much of a file is counted at once, as in the example.
pub(crate) const PIECE: usize = 1024 * 1024;

/// A folder, and what was written to the files in it that are to be counted.
pub(crate) struct Tree {
    root: TempDir,
    files: BTreeMap<String, Vec<u8>>,
}

impl Tree {
    /// An empty folder.
    pub(crate) fn new() -> Self {
        Self {
            root: tempfile::tempdir().expect("a folder can be made"),
            files: BTreeMap::new(),
        }
    }

    /// A folder with odd contents.
    pub(crate) fn odd() -> Self {
        let mut tree = Self::new();
        let long_word = [&vec![b'w'; PIECE / 2][..], b" end"].concat();
        let across = [&vec![b' '; PIECE - 3][..], b"across two\n"].concat();
        for (name, text) in [
            ("blank", &b" \t\n\x0b\x0c\r  "[..]),
            ("control", b"\x01 \x02\x03 a\x01 \x7f"),
            ("crlf", b"one\r\ntwo\r\n\r\nthree\r\n"),
            ("deep/er/text", b"the quick fox and the slow fox and the end\n"),
            ("empty", b""),
            ("exactly-a-piece", &vec![b'a'; PIECE]),
            ("invalid-utf8", b"\xff\xfe \xc3( caf\xe9\n"),
            ("long-word", &long_word),
            ("no-final-newline", b"one two\nthree"),
            ("nuls", b"a\0b\0 \0 c\n\0\n"),
            ("utf8", "na\u{ef}ve \u{2014} \u{65e5}\u{672c}\u{a0}x\n".as_bytes()),
            ("word-across-pieces", &across),
        ] {
            tree.write(name, text);
        }
        tree
    }

    /// A folder with `count` files of ordinary text, `file-000` and so on.
    pub(crate) fn of_text(count: usize) -> Self {
        let mut tree = Self::new();
        for number in 0..count {
            let line = format!("file {number} has some words, some twice\n");
            tree.write(&format!("file-{number:03}"), line.repeat(number + 1).as_bytes());
        }
        tree
    }

    /// Writes a file that is to be counted.
    pub(crate) fn write(&mut self, name: &str, text: &[u8]) {
        self.write_besides(name, text);
        self.files.insert(name.to_owned(), text.to_owned());
    }

    /// Writes a file that is not.
    pub(crate) fn write_besides(&self, name: &str, text: &[u8]) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().expect("it is in the root")).expect("a folder can be made");
        fs::write(path, text).expect("a file can be written");
    }

    /// The folder.
    pub(crate) fn root(&self) -> &Path {
        self.root.path()
    }

    /// A file's path.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.root().join(name)
    }

    /// What counting all files but those in `without` comes to, as the document that `--json` prints with paths
    /// relative to the folder.
    pub(crate) fn expected(&self, without: &[&str]) -> Value {
        let present = || {
            self.files
                .iter()
                .filter(|(name, _)| !without.contains(&name.as_str()))
        };
        let mut total = Counts::default();
        let rows: Vec<_> = present()
            .map(|(name, text)| {
                let Counts { lines, words, bytes } = reference::count(text);
                total.lines += lines;
                total.words += words;
                total.bytes += bytes;
                serde_json::json!({ "path": name, "bytes": bytes, "lines": lines, "words": words })
            })
            .collect();
        let Counts { lines, words, bytes } = total;
        serde_json::json!({
            "files": rows,
            "total": { "files": present().count(), "bytes": bytes, "lines": lines, "words": words },
            "top": reference::top(present().map(|(_, text)| &text[..]), 10),
        })
    }
}

/// Holds a printed document against the expected one; how a system writes its paths is not the question here.
#[track_caller]
pub(crate) fn assert_same(mut printed: Value, expected: &Value) {
    for row in printed["files"].as_array_mut().expect("files is a list") {
        let path = row["path"]
            .as_str()
            .expect("a path is a string")
            .replace('\\', "/");
        row["path"] = path.into();
    }
    for part in ["total", "top", "files"] {
        assert_eq!(printed[part], expected[part], "{part}");
    }
}
