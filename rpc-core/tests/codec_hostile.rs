//! No body does harm: each that is not exactly one value is an error, soon and without much memory.

use std::collections::HashMap;
use std::fmt::Debug;

use bytes::Bytes;
use pipe_rpc_core::codec::{Codec, DecodeErrorKind, EncodeErrorKind};
use pipe_rpc_core::proto::Body;
use proptest::prelude::*;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

/// How many bytes `work` allocates in all, freed or not.
fn allocated<T>(work: impl FnOnce() -> T) -> (T, u64) {
    let mut done = None;
    let allocated = allocation_counter::measure(|| done = Some(work()));
    (done.unwrap(), allocated.bytes_total)
}

#[track_caller]
fn refused<T: DeserializeOwned + Debug + 'static>(body: &[u8]) -> DecodeErrorKind {
    let body = Body::copy_from(body);
    let (result, bytes) = allocated(|| Codec::Bincode.decode::<T>(body));
    assert!(bytes < 4096, "{bytes} bytes were allocated");
    result.unwrap_err().kind().clone()
}

#[derive(Debug, Serialize, Deserialize)]
enum Chain {
    End,
    Link(Box<Chain>),
}

/// A list whose end takes no bytes: nothing but the depth ever ends it.
#[derive(Debug, Serialize, Deserialize)]
struct Endless(Box<Endless>);

fn chain(links: usize) -> Chain {
    (0..links).fold(Chain::End, |chain, _| Chain::Link(Box::new(chain)))
}

#[test]
fn a_chain_of_30_000_boxes_does_not_overflow_the_stack() {
    let link = Codec::Bincode.encode(&chain(1)).unwrap();
    let body = link.as_ref()[..4].repeat(30_000);
    let thread = std::thread::Builder::new().stack_size(2 << 20);
    let decode = move || refused::<Chain>(&body);
    let kind = thread.spawn(decode).unwrap().join().unwrap();
    assert_eq!(kind, DecodeErrorKind::TooDeep { limit: 128 });
}

#[test]
fn a_type_that_never_ends_does_not_overflow_the_stack() {
    assert_eq!(refused::<Endless>(&[]), DecodeErrorKind::TooDeep { limit: 128 });
}

#[test]
fn a_chain_that_is_too_long_is_not_sent() {
    let error = Codec::Bincode.encode(&chain(1000)).unwrap_err();
    assert_eq!(error.kind(), &EncodeErrorKind::TooDeep { limit: 128 });
}

#[test]
fn what_is_just_deep_enough_comes_back() {
    let body = Codec::Bincode.encode(&chain(128)).unwrap();
    assert!(Codec::Bincode.decode::<Chain>(body).is_ok());
    assert!(Codec::Bincode.encode(&chain(129)).is_err());
}

#[test]
fn lengths_beyond_the_body_are_refused_before_room_is_made() {
    for len in [1_u64 << 62, 900_000_000, u64::MAX] {
        let body = len.to_le_bytes();
        let is_too_many = |kind| matches!(kind, DecodeErrorKind::TooManyValues { .. });
        assert!(is_too_many(refused::<Vec<()>>(&body)));
        assert!(is_too_many(refused::<Vec<u64>>(&body)));
        assert!(is_too_many(refused::<HashMap<u64, u64>>(&body)));
        assert!(is_too_many(refused::<HashMap<(), ()>>(&body)));
        assert_eq!(refused::<String>(&body), DecodeErrorKind::UnexpectedEnd);
        assert_eq!(refused::<(Bytes, u8)>(&body), DecodeErrorKind::UnexpectedEnd);
        assert_eq!(refused::<Box<str>>(&body), DecodeErrorKind::UnexpectedEnd);
    }
}

#[test]
fn a_length_that_may_be_but_is_not_makes_no_room_either() {
    let body = 60_000_u64.to_le_bytes();
    assert_eq!(refused::<Vec<[u64; 32]>>(&body), DecodeErrorKind::UnexpectedEnd);
}

#[test]
fn many_small_lengths_together_are_held_against_the_limit() {
    let body = [3, 60_000, 60_000, 60_000].map(u64::to_le_bytes).concat();
    let kind = Codec::Bincode.decode::<Vec<Vec<()>>>(Body::copy_from(&body));
    let limit = 32 + 65_536;
    let elements = 120_003;
    assert_eq!(
        kind.unwrap_err().kind(),
        &DecodeErrorKind::TooManyValues { elements, limit }
    );
}

#[test]
fn what_the_receiver_would_refuse_is_not_sent() {
    let error = Codec::Bincode.encode(&vec![(); 65_545]).unwrap_err();
    let (elements, limit) = (65_545, 65_544);
    assert_eq!(error.kind(), &EncodeErrorKind::TooManyValues { elements, limit });
}

#[test]
fn invalid_tags_and_text_are_told() {
    assert_eq!(refused::<bool>(&[2]), DecodeErrorKind::InvalidBool { found: 2 });
    assert_eq!(
        refused::<Option<u8>>(&[7, 0]),
        DecodeErrorKind::InvalidOption { found: 7 }
    );
    let bytes = [0xff, 0, 0, 0];
    assert_eq!(refused::<char>(&bytes), DecodeErrorKind::InvalidChar { bytes });
    let (name, index) = ("Chain", 9);
    assert_eq!(
        refused::<Chain>(&[9, 0, 0, 0]),
        DecodeErrorKind::InvalidVariant { name, index }
    );
    let text = [&1_u64.to_le_bytes()[..], &[0xff]].concat();
    assert!(matches!(
        refused::<String>(&text),
        DecodeErrorKind::InvalidUtf8(_)
    ));
}

#[test]
fn bytes_left_over_are_counted() {
    assert_eq!(refused::<u8>(&[1, 2, 3]), DecodeErrorKind::LeftOver { bytes: 2 });
    assert_eq!(refused::<()>(&[0]), DecodeErrorKind::LeftOver { bytes: 1 });
    let mut body = Codec::Bincode.encode(&sample()).unwrap().as_ref().to_vec();
    body.extend([0, 0]);
    let kind = Codec::Bincode.decode::<Sample>(Body::from(body));
    assert_eq!(kind.unwrap_err().kind(), &DecodeErrorKind::LeftOver { bytes: 2 });
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Sample {
    text: String,
    list: Vec<Option<u16>>,
    map: HashMap<u8, char>,
    result: Result<(u8, bool), Box<Sample>>,
}

fn sample() -> Sample {
    let inner = Sample {
        text: "é".to_owned(),
        list: vec![Some(1), None],
        map: HashMap::from([(1, 'x')]),
        result: Ok((1, true)),
    };
    Sample {
        result: Err(Box::new(inner.clone())),
        ..inner
    }
}

#[test]
fn a_body_cut_at_any_byte_is_refused() {
    let body = Codec::Bincode.encode(&sample()).unwrap();
    for end in 0..body.len() {
        let cut = Body::copy_from(&body.as_ref()[..end]);
        assert!(Codec::Bincode.decode::<Sample>(cut).is_err(), "{end}");
    }
    assert_eq!(Codec::Bincode.decode::<Sample>(body).unwrap(), sample());
}

#[test]
fn no_changed_bit_makes_decoding_panic() {
    let body = Codec::Bincode.encode(&sample()).unwrap();
    for bit in 0..8 * body.len() {
        let mut changed = body.as_ref().to_vec();
        changed[bit / 8] ^= 1 << (bit % 8);
        let _ = Codec::Bincode.decode::<Sample>(Body::from(changed));
    }
}

#[test]
fn a_deserialize_that_leaves_elements_is_refused() {
    #[derive(Debug)]
    struct First;
    impl<'de> Deserialize<'de> for First {
        fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
            struct Visitor;
            impl<'de> serde::de::Visitor<'de> for Visitor {
                type Value = First;
                fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                    f.write_str("a sequence")
                }
                fn visit_seq<A: serde::de::SeqAccess<'de>>(self, mut seq: A) -> Result<First, A::Error> {
                    seq.next_element::<u8>().map(|_| First)
                }
            }
            deserializer.deserialize_seq(Visitor)
        }
    }
    let body = [&3_u64.to_le_bytes()[..], &[1, 2, 3]].concat();
    assert_eq!(refused::<First>(&body), DecodeErrorKind::Unread { count: 2 });
}

#[test]
fn a_serialize_that_announces_a_wrong_length_is_refused() {
    struct Liar;
    impl Serialize for Liar {
        fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            use serde::ser::SerializeSeq as _;
            let mut seq = serializer.serialize_seq(Some(2))?;
            seq.serialize_element(&1_u8)?;
            seq.end()
        }
    }
    let error = Codec::Bincode.encode(&Liar).unwrap_err();
    let (announced, found) = (2, 1);
    assert_eq!(
        error.kind(),
        &EncodeErrorKind::LengthMismatch { announced, found }
    );
}

#[test]
fn an_error_that_a_deserialize_swallows_counts_all_the_same() {
    #[derive(Debug)]
    struct Lenient;
    impl<'de> Deserialize<'de> for Lenient {
        fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
            let _ = Vec::<u8>::deserialize(deserializer);
            Ok(Self)
        }
    }
    let kind = refused::<Lenient>(&u64::MAX.to_le_bytes());
    assert!(matches!(kind, DecodeErrorKind::TooManyValues { .. }));
}

/// A thread's first small body makes the memory that later ones use again.
fn make_spare_memory() {
    drop(Codec::Bincode.encode(&7_u32).unwrap());
}

#[test]
fn small_values_are_encoded_without_an_allocation() {
    let value = ("pipe".to_owned(), 7_u32, Some(Ok::<[u64; 8], ()>([1; 8])));
    make_spare_memory();
    let (body, bytes) = allocated(|| Codec::Bincode.encode(&value).unwrap());
    assert_eq!((body.len(), bytes), (8 + 4 + 4 + 1 + 4 + 64 + 1, 0));
}

#[test]
fn decoding_allocates_only_the_value_itself() {
    make_spare_memory();
    let body = Codec::Bincode.encode(&("pipe".to_owned(), 7_u32)).unwrap();
    let (value, bytes) = allocated(|| Codec::Bincode.decode::<(String, u32)>(body).unwrap());
    assert_eq!((value.0.as_str(), bytes), ("pipe", 4));
}

proptest! {
    #[test]
    fn no_bytes_make_decoding_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let body = Body::copy_from(&bytes);
        let _ = Codec::Bincode.decode::<Sample>(body.clone());
        let _ = Codec::Bincode.decode::<Chain>(body.clone());
        let _ = Codec::Bincode.decode::<Vec<HashMap<char, Vec<()>>>>(body.clone());
        let _ = Codec::Bincode.decode::<(Option<String>, [bool; 3], i128)>(body);
    }

    #[test]
    fn no_small_bytes_make_decoding_panic(bytes in prop::collection::vec(0_u8..3, 0..200)) {
        let body = Body::copy_from(&bytes);
        let _ = Codec::Bincode.decode::<Sample>(body.clone());
        let _ = Codec::Bincode.decode::<Vec<Vec<Option<Vec<()>>>>>(body);
    }
}
