//! No JSON does harm: what is not exactly one value of its type is an error that says why, soon and without much memory.

use std::collections::{BTreeMap, HashMap};
use std::fmt::Debug;

use pipe_rpc_core::codec::{Codec, DecodeErrorKind, EncodeErrorKind};
use pipe_rpc_core::proto::Body;
use proptest::prelude::*;
use serde::de::{DeserializeOwned, IgnoredAny};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// How many bytes `work` holds at the most, in addition to what was there.
fn held<T>(work: impl FnOnce() -> T) -> (T, u64) {
    let mut done = None;
    let allocated = allocation_counter::measure(|| done = Some(work()));
    (done.unwrap(), allocated.bytes_max)
}

#[track_caller]
fn refused<T: DeserializeOwned + Debug + 'static>(body: impl AsRef<[u8]>) -> DecodeErrorKind {
    let body = Body::copy_from(body.as_ref());
    let limit = 16 * body.len() as u64 + 8192;
    let (result, bytes) = held(|| Codec::Json.decode::<T>(body));
    assert!(bytes < limit, "{bytes} bytes were held");
    result.unwrap_err().kind().clone()
}

#[track_caller]
fn refused_with<T: DeserializeOwned + Debug + 'static>(body: impl AsRef<[u8]>, words: &str) {
    let text = refused::<T>(body).to_string();
    assert!(text.contains(words), "{text}");
}

const TOO_DEEP: DecodeErrorKind = DecodeErrorKind::TooDeep { limit: 128 };

#[derive(Debug, Serialize, Deserialize)]
enum Chain {
    End,
    Link(Box<Chain>),
    Struct { next: Box<Chain> },
    Tuple(Box<Chain>, u8),
}

/// It takes no bytes at all: nothing but the depth ever ends it.
#[derive(Debug, Serialize, Deserialize)]
struct Endless(Box<Endless>);

/// JSON shows no Some, so that a number can be any count of them.
#[derive(Debug, Serialize, Deserialize)]
struct Somes(Option<Box<Somes>>);

#[derive(Debug, Serialize, Deserialize)]
#[serde(untagged)]
enum Tree {
    Leaf(u8),
    Node(Vec<Tree>),
}

fn nested(open: &str, middle: &str, close: &str, times: usize) -> String {
    open.repeat(times) + middle + &close.repeat(times)
}

/// On a stack of 2 MiB, which is what tokio gives its threads.
fn on_a_small_stack(work: impl FnOnce() + Send + 'static) {
    let thread = std::thread::Builder::new().stack_size(2 << 20);
    thread.spawn(work).unwrap().join().unwrap();
}

#[test]
fn what_is_deep_does_not_overflow_the_stack() {
    on_a_small_stack(|| {
        for times in [129, 1000, 100_000] {
            assert_eq!(
                refused::<Chain>(nested("{\"Link\":", "\"End\"", "}", times)),
                TOO_DEEP
            );
            assert_eq!(
                refused::<Chain>(nested("{\"Struct\":{\"next\":", "\"End\"", "}}", times)),
                TOO_DEEP
            );
            assert_eq!(
                refused::<Chain>(nested("{\"Tuple\":[", "\"End\"", ",1]}", times)),
                TOO_DEEP
            );
            assert_eq!(refused::<Value>(nested("[", "", "]", times)), TOO_DEEP);
            assert_eq!(refused::<Value>(nested("{\"a\":", "1", "}", times)), TOO_DEEP);
            assert_eq!(refused::<Tree>(nested("[", "1", "]", times)), TOO_DEEP);
            assert_eq!(refused::<Value>("[".repeat(times)), TOO_DEEP);
        }
    });
}

#[test]
fn what_is_deep_without_brackets_does_not_overflow_the_stack() {
    on_a_small_stack(|| {
        assert_eq!(refused::<Endless>("1"), TOO_DEEP);
        assert_eq!(refused::<Somes>("1"), TOO_DEEP);
        assert_eq!(refused::<Vec<HashMap<String, Somes>>>("[{\"a\":{}}]"), TOO_DEEP);
    });
}

#[test]
fn what_nobody_reads_may_be_deep() {
    #[derive(Debug, Deserialize)]
    struct Known {
        known: u8,
    }
    let body = format!("{{\"new\":{},\"known\":7}}", nested("[", "", "]", 100_000));
    let read: Known = Codec::Json.decode(Body::copy_from(body.as_bytes())).unwrap();
    assert_eq!(read.known, 7);
    refused_with::<IgnoredAny>("[".repeat(100_000), "EOF");
}

#[test]
fn what_is_just_deep_enough_comes_back() {
    let link = |chain, _| Chain::Link(Box::new(chain));
    let tuple = |chain, _| Chain::Tuple(Box::new(chain), 1);
    let named = |next, _| Chain::Struct { next: Box::new(next) };
    on_a_small_stack(move || {
        for chain in [
            (0..128).fold(Chain::End, link),
            (0..128).fold(Chain::End, tuple),
            (0..128).fold(Chain::End, named),
        ] {
            let body = Codec::Json.encode(&chain).unwrap();
            assert!(Codec::Json.decode::<Chain>(body).is_ok());
            let error = Codec::Json.encode(&link(chain, 0)).unwrap_err();
            assert_eq!(error.kind(), &EncodeErrorKind::TooDeep { limit: 128 });
        }
    });
}

#[test]
fn a_key_that_comes_twice_is_refused_and_named() {
    let twice = |key: &str| DecodeErrorKind::DuplicateKey { key: key.to_owned() };
    assert_eq!(
        refused::<HashMap<String, u8>>(r#"{"a":1,"b":2,"a":1}"#),
        twice("a")
    );
    assert_eq!(
        refused::<BTreeMap<String, u8>>(r#"{"a":1,"\u0061":1}"#),
        twice("a")
    );
    assert_eq!(refused::<HashMap<i32, u8>>(r#"{"1":1,"1":1}"#), twice("1"));
    assert_eq!(
        refused::<HashMap<bool, u8>>(r#"{"true":1,"true":1}"#),
        twice("true")
    );
    assert_eq!(refused::<Vec<Value>>(r#"[{"x":{"a":1,"a":2}}]"#), twice("a"));
    #[derive(Debug, PartialEq, Eq, Hash, Deserialize)]
    enum Key {
        A,
    }
    assert_eq!(refused::<HashMap<Key, u8>>(r#"{"A":1,"A":1}"#), twice("A"));
    #[derive(Debug, Deserialize)]
    #[allow(dead_code, reason = "it is never made")]
    struct Flat {
        #[serde(flatten)]
        rest: HashMap<String, u8>,
    }
    assert_eq!(refused::<Flat>(r#"{"a":1,"a":1}"#), twice("a"));
    #[derive(Debug, Deserialize)]
    #[allow(dead_code, reason = "it is never made")]
    struct Plain {
        a: u8,
    }
    refused_with::<Plain>(r#"{"a":1,"a":1}"#, "duplicate field `a`");
}

#[test]
fn the_same_key_in_different_objects_is_no_duplicate() {
    let json = r#"[{"a":{"a":1,"b":{"a":1}}},{"a":1}]"#;
    assert!(
        Codec::Json
            .decode::<Value>(Body::copy_from(json.as_bytes()))
            .is_ok()
    );
}

#[test]
fn what_is_not_exactly_one_value_is_refused_and_the_place_named() {
    refused_with::<u8>("", "the body is not one JSON value: EOF");
    refused_with::<u8>("1 2", "trailing characters at line 1 column 3");
    refused_with::<(u8, u8)>("[1,2]]", "trailing characters");
    refused_with::<(u8, u8)>("[1,2,3]", "trailing");
    refused_with::<(u8, u8)>("[1]", "invalid length 1");
    refused_with::<Vec<u16>>("[1,", "EOF");
    refused_with::<Vec<u16>>("[1,]", "trailing comma");
    refused_with::<Vec<u16>>("[1 /* one */]", "expected");
    refused_with::<f64>("NaN", "expected");
    refused_with::<f64>("Infinity", "expected");
    refused_with::<u8>("256", "expected u8 at line 1 column 3");
    refused_with::<u8>("-1", "expected u8");
    refused_with::<u8>("1.0", "expected u8");
    refused_with::<u8>("\u{feff}1", "expected value");
    refused_with::<String>("\"\n\"", "control character");
    refused_with::<String>(r#""\ud800""#, "column");
    refused_with::<Chain>(r#""New""#, "unknown variant `New`");
}

#[test]
fn what_is_not_utf_8_is_refused_also_where_nobody_reads_it() {
    let is_not_text = |kind| matches!(kind, DecodeErrorKind::NotText(_));
    assert!(is_not_text(refused::<String>(b"\"\xff\"")));
    assert!(is_not_text(refused::<Value>(b"{\"\xc0\x80\":1}")));
    #[derive(Debug, Deserialize)]
    struct Nothing {}
    assert!(is_not_text(refused::<Nothing>(b"{\"a\":\"\xed\xa0\x80\"}")));
    assert!(is_not_text(refused::<u16>(b"1\x00\xff")));
}

#[test]
fn numbers_beyond_their_type_are_refused() {
    refused_with::<f64>("1e400", "number out of range");
    refused_with::<f64>("-1e1000000000000000000000", "number out of range");
    refused_with::<Value>("1e999", "number out of range");
    refused_with::<u64>("18446744073709551616", "expected u64");
    refused_with::<i128>("1".repeat(60), "number out of range");
    refused_with::<u64>("1".repeat(100_000), "number out of range");
}

#[test]
fn numbers_of_a_million_digits_are_read_and_hold_little() {
    for json in [
        format!("0.{}", "1".repeat(1 << 20)),
        format!("{}e-1048576", "1".repeat(1 << 20)),
        format!("0.{}1", "0".repeat(1 << 20)),
    ] {
        let (read, bytes) = held(|| Codec::Json.decode::<f64>(Body::copy_from(json.as_bytes())));
        assert!(read.is_ok());
        assert!(bytes < 8 << 20, "{bytes} bytes");
    }
}

#[test]
fn what_is_read_holds_memory_in_proportion_to_the_body() {
    let keys: Vec<String> = (0..50_000).map(|key| format!("\"{key}\":0")).collect();
    for json in [
        format!("[{}0]", "0,".repeat(100_000)),
        format!("[{}[]]", "[],".repeat(100_000)),
        format!("[{}0]", "{\"\":0},".repeat(50_000)),
        format!("{{{}}}", keys.join(",")),
    ] {
        let body = Body::copy_from(json.as_bytes());
        let (read, bytes) = held(|| Codec::Json.decode::<Value>(body));
        assert!(read.is_ok());
        assert!(
            bytes < 128 * json.len() as u64,
            "{bytes} bytes for {}",
            json.len()
        );
    }
}

#[test]
fn errors_quote_no_more_than_a_little_of_the_body() {
    let long = "x".repeat(1 << 20);
    for text in [
        refused::<Chain>(format!("\"{long}\"")).to_string(),
        refused::<u8>(format!("\"{}\"", "ß".repeat(1 << 20))).to_string(),
        refused::<HashMap<String, u8>>(format!("{{\"{long}\":1,\"{long}\":1}}")).to_string(),
    ] {
        assert!(text.len() < 1100, "{} bytes", text.len());
    }
}

proptest! {
    #[test]
    fn no_body_panics(body: Vec<u8>) {
        let body = Body::copy_from(&body);
        let _ = Codec::Json.decode::<Value>(body.clone());
        let _ = Codec::Json.decode::<Chain>(body.clone());
        let _ = Codec::Json.decode::<HashMap<char, Vec<()>>>(body);
    }

    #[test]
    fn no_text_of_brackets_and_words_panics(body in r#"([\[\]{}:,0-9.eE"]|"a"|"Link"|"End"|null|true| ){0,40}"#) {
        let body = Body::copy_from(body.as_bytes());
        let _ = Codec::Json.decode::<Value>(body.clone());
        let _ = Codec::Json.decode::<Chain>(body.clone());
        let _ = Codec::Json.decode::<Tree>(body.clone());
        let _ = Codec::Json.decode::<HashMap<char, Vec<Option<f32>>>>(body);
    }
}
