//! Counting done once more, in the simplest way, to compare with; and what `wc` makes of it where there is one.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

/// Lines, words and bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    pub(crate) lines: u64,
    pub(crate) words: u64,
    pub(crate) bytes: u64,
}

/// Counts by definition: a word is a run of bytes that are no blanks, with a printable ASCII character in it.
pub(crate) fn count(text: &[u8]) -> Counts {
    Counts {
        lines: text.iter().filter(|byte| **byte == b'\n').count() as u64,
        words: words(text).count() as u64,
        bytes: text.len() as u64,
    }
}

/// The words of a text.
pub(crate) fn words(text: &[u8]) -> impl Iterator<Item = &[u8]> {
    let runs = text.split(|byte| b" \t\n\x0b\x0c\r".contains(byte));
    runs.filter(|run| run.iter().any(|byte| (b'!'..=b'~').contains(byte)))
}

/// The most frequent words of several texts, as they are shown.
pub(crate) fn top<'a>(texts: impl IntoIterator<Item = &'a [u8]>, most: usize) -> Vec<(String, u64)> {
    let mut times = BTreeMap::<&[u8], u64>::new();
    for word in texts.into_iter().flat_map(words) {
        *times.entry(word).or_default() += 1;
    }
    let mut sorted: Vec<_> = times.into_iter().collect();
    sorted.sort_by_key(|(_, times)| std::cmp::Reverse(*times)); // stable: equal ones stay in order
    let shown = sorted
        .into_iter()
        .map(|(word, n)| (String::from_utf8_lossy(word).into_owned(), n));
    shown.take(most).collect()
}

/// What `wc` says of a file, if there is one that has the same idea of a word: GNU's up to version 9.4.
pub(crate) fn wc(file: &Path) -> Option<Counts> {
    let output = Command::new("wc")
        .arg("-lwc")
        .arg(file)
        .env("LC_ALL", "C")
        .output()
        .ok()?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let mut numbers = text.split_whitespace().map_while(|number| number.parse().ok());
    Some(Counts {
        lines: numbers.next()?,
        words: numbers.next()?,
        bytes: numbers.next()?,
    })
}

/// Whether this system's `wc` sees no word in a lone control character. Newer ones do, so that only text without any
/// can be compared with theirs.
pub(crate) fn wc_agrees_on_words(scratch: &Path) -> bool {
    let file = scratch.join("control");
    std::fs::write(&file, b"\x01 \xff\n").expect("a file can be written");
    let counts = wc(&file);
    std::fs::remove_file(&file).expect("a file can be removed");
    counts.is_some_and(|counts| counts.words == 0)
}
