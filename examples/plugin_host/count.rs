//! Counting as `wc` does under `LC_ALL=C`, one piece of a file at a time.
//!
//! A line is a newline byte. A word is a run of bytes without a blank (space, tab, newline, vertical tab, form feed,
//! carriage return) that has at least one printable ASCII character in it: GNU wc up to 9.4 sees no word in a run of
//! control characters and bytes above 127 only.

use std::collections::HashMap;

use bytes::Bytes;
use serde::{Deserialize, Serialize};

/// How much of a file is one item of the stream, in bytes. Small enough that the host soon has something to show, whatever
/// the file; large enough that the items cost nothing beside the counting.
pub(crate) const PIECE: usize = 1024 * 1024;

/// A word longer than this, in bytes, is counted as a word but not kept to be among the most frequent ones.
const LONGEST_KEPT: usize = 1024 * 1024;

/// What one piece of a file holds. The runs at its ends may go on in the neighbouring pieces, so they come as they are.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Piece {
    bytes: u64,
    lines: u64,
    /// What stands before the first blank.
    head: Bytes,
    /// What stands after the last blank; `None` if there is no blank at all, and the head is all.
    tail: Option<Bytes>,
    /// The words between, and how often each occurs.
    words: Vec<(Bytes, u32)>,
}

/// What a whole file, or several, came to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub(crate) struct Counts {
    pub(crate) bytes: u64,
    pub(crate) lines: u64,
    pub(crate) words: u64,
}

/// How often each word occurs.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Vocabulary(HashMap<Box<[u8]>, u64>);

/// Puts the pieces of one file together, in order.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    counts: Counts,
    vocabulary: Vocabulary,
    open: Run,
}

/// The run of non-blank bytes that the pieces so far end with.
#[derive(Debug, Default)]
struct Run {
    text: Vec<u8>,
    is_word: bool,
    is_too_long: bool,
}

impl Piece {
    /// Counts `text`.
    pub(crate) fn of(text: &Bytes) -> Self {
        let lines = text.iter().filter(|byte| **byte == b'\n').count() as u64;
        let bytes = text.len() as u64;
        let Some(first) = text.iter().position(is_blank) else {
            return Self {
                bytes,
                lines,
                head: text.clone(),
                tail: None,
                words: Vec::new(),
            };
        };
        let last = text.iter().rposition(is_blank).unwrap_or(first);
        Self {
            bytes,
            lines,
            head: text.slice(..first),
            tail: Some(text.slice(last + 1..)),
            words: words_of(text, &text[first..last]),
        }
    }

    /// Whether the file ends with this piece.
    pub(crate) fn is_last(&self) -> bool {
        self.bytes < PIECE as u64
    }
}

impl Tally {
    /// Adds the piece that follows those added before.
    pub(crate) fn append(&mut self, piece: Piece) {
        self.counts.bytes += piece.bytes;
        self.counts.lines += piece.lines;
        self.open.extend(&piece.head);
        let Some(tail) = piece.tail else { return };
        self.close_run();
        for (word, times) in piece.words {
            self.counts.words += u64::from(times);
            self.vocabulary.add(&word, times.into());
        }
        self.open.extend(&tail);
    }

    /// How many bytes there are in the pieces so far.
    pub(crate) fn bytes(&self) -> u64 {
        self.counts.bytes
    }

    /// What all pieces came to.
    pub(crate) fn finish(mut self) -> (Counts, Vocabulary) {
        self.close_run();
        (self.counts, self.vocabulary)
    }

    fn close_run(&mut self) {
        let run = std::mem::take(&mut self.open);
        if !run.is_word {
            return;
        }
        self.counts.words += 1;
        if !run.is_too_long {
            self.vocabulary.add(&run.text, 1);
        }
    }
}

impl Run {
    fn extend(&mut self, bytes: &[u8]) {
        self.is_word = self.is_word || is_word(bytes);
        self.is_too_long = self.is_too_long || self.text.len() + bytes.len() > LONGEST_KEPT;
        if self.is_too_long {
            self.text = Vec::new();
        } else {
            self.text.extend_from_slice(bytes);
        }
    }
}

impl Counts {
    /// Adds what another file came to.
    pub(crate) fn add(&mut self, other: Self) {
        self.bytes += other.bytes;
        self.lines += other.lines;
        self.words += other.words;
    }
}

impl Vocabulary {
    /// Adds the words of another file.
    pub(crate) fn merge(&mut self, other: Self) {
        if self.0.is_empty() {
            *self = other;
            return;
        }
        for (word, times) in other.0 {
            *self.0.entry(word).or_default() += times;
        }
    }

    /// The `most` most frequent words, the most frequent one first; of equally frequent ones the one that sorts first.
    pub(crate) fn top(&self, most: usize) -> Vec<(&[u8], u64)> {
        let mut words: Vec<(&[u8], u64)> = self.0.iter().map(|(word, times)| (&**word, *times)).collect();
        words.sort_unstable_by(|(a, a_times), (b, b_times)| b_times.cmp(a_times).then(a.cmp(b)));
        words.truncate(most);
        words
    }

    fn add(&mut self, word: &[u8], times: u64) {
        match self.0.get_mut(word) {
            Some(known) => *known += times,
            None => _ = self.0.insert(word.into(), times),
        }
    }
}

fn words_of(text: &Bytes, range: &[u8]) -> Vec<(Bytes, u32)> {
    let mut words: HashMap<&[u8], u32> = HashMap::new();
    for word in range.split(is_blank).filter(|run| is_word(run)) {
        *words.entry(word).or_default() += 1;
    }
    let shared = words
        .into_iter()
        .map(|(word, times)| (text.slice_ref(word), times));
    shared.collect()
}

fn is_blank(byte: &u8) -> bool {
    matches!(byte, b' ' | b'\t'..=b'\r')
}

fn is_word(run: &[u8]) -> bool {
    run.iter().any(u8::is_ascii_graphic)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn whole(text: &[u8]) -> (Counts, Vocabulary) {
        pieces(&[text])
    }

    fn pieces(texts: &[&[u8]]) -> (Counts, Vocabulary) {
        let mut tally = Tally::default();
        for text in texts {
            tally.append(Piece::of(&Bytes::copy_from_slice(text)));
        }
        tally.finish()
    }

    #[test]
    fn a_run_without_a_printable_character_is_no_word() {
        let words = |text: &[u8]| whole(text).0.words;
        assert_eq!(words(b"a \x01 b"), 2);
        assert_eq!(words("a \u{2014} b".as_bytes()), 2);
        assert_eq!(words("\u{e9}x".as_bytes()), 1);
        assert_eq!(words(b"a\0b \0 \x7f \xa0"), 1);
        assert_eq!(words(b"x\x0b\x0cy\rz\ta"), 4);
    }

    #[test]
    fn wherever_a_text_is_cut_it_counts_the_same() {
        let text = b"  one two\xff\n\x01\x02 three\r\n\n\xe9\xe9 two one\x0btwo";
        let expected = whole(text);
        assert_eq!(expected.0.words, 6);
        for first in 0..=text.len() {
            for second in first..=text.len() {
                let cut = [&text[..first], &text[first..second], &text[second..]];
                assert_eq!(pieces(&cut), expected, "cut at {first} and {second}");
            }
        }
    }

    #[test]
    fn a_word_too_long_to_keep_is_still_one_word() {
        let long = vec![b'a'; LONGEST_KEPT];
        let (counts, vocabulary) = pieces(&[b"b ", &long, b"a", &long, b" b"]);
        assert_eq!(counts.words, 3);
        assert_eq!(vocabulary.top(9), [(&b"b"[..], 2)]);
        assert_eq!(pieces(&[&long]).1.top(9), [(&long[..], 1)]);
    }

    #[test]
    fn the_most_frequent_words_come_first_and_equal_ones_in_order() {
        let (_, mut vocabulary) = whole(b"b a c b");
        vocabulary.merge(whole(b"c d").1);
        assert_eq!(vocabulary.top(3), [(&b"b"[..], 2), (b"c", 2), (b"a", 1)]);
    }

    #[test]
    fn nothing_counts_as_nothing() {
        assert_eq!(whole(b"").0, Counts::default());
        assert_eq!(Tally::default().finish().0, Counts::default());
    }
}
