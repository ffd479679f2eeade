//! What a Deserialize is given in place of what a peer sends, the likeliest to be taken first.

pub(super) const NUMBERS: [u8; 4] = [1, 0, 2, 100];

pub(super) const FLOATS: [f32; 3] = [1.0, 0.0, 0.5];

pub(super) const BOOLS: [bool; 2] = [false, true];

pub(super) const CHARS: [char; 3] = ['a', '0', 'A'];

/// Words, numbers, and what the validated strings of well-known crates look like.
pub(super) const STRINGS: [&str; 16] = [
    "",
    "a",
    "1",
    "A",
    "1.0.0",
    "a.b",
    "a@b.cc",
    "http://a.b/",
    "/a",
    "127.0.0.1",
    "127.0.0.1:1",
    "2000-01-01T00:00:00Z",
    "2000-01-01T00:00:00",
    "2000-01-01",
    "00:00:00",
    "00000000-0000-4000-8000-000000000000",
];

/// Bytes of well-known lengths: ids, addresses, hashes, keys.
pub(super) const BYTES: [&[u8]; 10] = [
    &[],
    &[0; 16],
    &[0; 1],
    &[0; 2],
    &[0; 4],
    &[0; 8],
    &[0; 12],
    &[0; 20],
    &[0; 32],
    &[0; 64],
];

/// How many elements a sequence has.
pub(super) const LENGTHS: [usize; 3] = [0, 1, 2];

/// How many kinds of values there are for who takes any: see `visit_any`.
pub(super) const KINDS_OF_ANY: usize = 6;
