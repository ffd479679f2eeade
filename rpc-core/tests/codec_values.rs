//! What is encoded comes back the same, and its bytes are those of PROTOCOL.md "Codec: bincode".

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};
use std::fmt::Debug;
use std::marker::PhantomData;
use std::net::{IpAddr, SocketAddr};
use std::num::{NonZeroI8, NonZeroU64};
use std::ops::{Bound, Range};
use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use pipe_rpc_core::codec::Codec;
use proptest::prelude::*;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

#[track_caller]
fn round_trip<T: Serialize + DeserializeOwned + PartialEq + Debug + 'static>(value: T) {
    let body = Codec::Bincode.encode(&value).unwrap();
    assert_eq!(Codec::Bincode.decode::<T>(body).unwrap(), value);
}

#[track_caller]
fn has_bytes<T: Serialize + DeserializeOwned + PartialEq + Debug + 'static>(value: T, bytes: &[u8]) {
    assert_eq!(Codec::Bincode.encode(&value).unwrap().as_ref(), bytes);
    round_trip(value);
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Point {
    x: i16,
    y: u8,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Pair(u8, u8);

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Id(u64);

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Nothing;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Braces {}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
enum Shape {
    Empty,
    Named(String),
    Line(u8, u8),
    Box { w: u16, h: u16 },
}

#[test]
fn numbers_are_fixed_width_and_little_endian() {
    has_bytes(0x1234_u16, &[0x34, 0x12]);
    has_bytes(-2_i32, &[0xfe, 0xff, 0xff, 0xff]);
    has_bytes(7_usize, &[7, 0, 0, 0, 0, 0, 0, 0]);
    has_bytes(
        1_u128 << 127,
        &[0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x80],
    );
    has_bytes(1.5_f32, &[0, 0, 0xc0, 0x3f]);
    has_bytes(NonZeroU64::MIN, &[1, 0, 0, 0, 0, 0, 0, 0]);
}

#[test]
fn bools_options_chars_and_units_are_as_specified() {
    has_bytes(true, &[1]);
    has_bytes((), &[]);
    has_bytes(Nothing, &[]);
    has_bytes(None::<u16>, &[0]);
    has_bytes(Some(3_u16), &[1, 3, 0]);
    has_bytes('a', &[0x61]);
    has_bytes('é', &[0xc3, 0xa9]);
}

#[test]
fn strings_sequences_and_maps_have_a_length_of_eight_bytes() {
    has_bytes("hi".to_owned(), &[2, 0, 0, 0, 0, 0, 0, 0, b'h', b'i']);
    has_bytes(vec![1_u16, 2], &[2, 0, 0, 0, 0, 0, 0, 0, 1, 0, 2, 0]);
    has_bytes(BTreeMap::from([(1_u8, true)]), &[1, 0, 0, 0, 0, 0, 0, 0, 1, 1]);
    has_bytes(
        Some(Bytes::from_static(b"ab")),
        &[1, 2, 0, 0, 0, 0, 0, 0, 0, b'a', b'b'],
    );
}

#[test]
fn tuples_arrays_and_newtypes_add_nothing() {
    has_bytes((1_u8, 2_u16), &[1, 2, 0]);
    has_bytes([1_u8, 2, 3], &[1, 2, 3]);
    has_bytes(Id(5), &[5, 0, 0, 0, 0, 0, 0, 0]);
}

#[test]
fn a_body_with_fields_ends_with_their_check() {
    has_bytes(Braces {}, &[0]);
    has_bytes(Point { x: 1, y: 2 }, &[1, 0, 2, 2]);
    has_bytes(Pair(1, 2), &[1, 2, 2]);
    // Two of two fields: 2 * 31 + 2.
    has_bytes((Pair(1, 2), Pair(3, 4)), &[1, 2, 3, 4, 64]);
}

#[test]
fn a_variant_is_its_index_and_a_check_of_its_name() {
    has_bytes(Ok::<u8, u8>(3), &[0, 0, OK[0], OK[1], 3, 1]);
    has_bytes(Shape::Empty, &[0, 0, EMPTY[0], EMPTY[1]]);
    has_bytes(Shape::Line(8, 9), &[2, 0, LINE[0], LINE[1], 8, 9, 2]);
    has_bytes(Shape::Box { w: 8, h: 9 }, &[3, 0, BOX[0], BOX[1], 8, 0, 9, 0, 2]);
}

// FNV-1a of the name, the upper half of it on the lower by exclusive or.
const OK: [u8; 2] = [0x2b, 0xe0];
const EMPTY: [u8; 2] = [0xd9, 0xce];
const LINE: [u8; 2] = [0x4f, 0x6d];
const BOX: [u8; 2] = [0x19, 0xab];

#[test]
fn types_of_the_standard_library_come_back() {
    round_trip((i128::MIN, u128::MAX, i8::MIN, f64::MIN_POSITIVE));
    round_trip(NonZeroI8::new(-1));
    round_trip(Duration::new(3, 999_999_999));
    round_trip(SystemTime::UNIX_EPOCH + Duration::from_secs(9));
    round_trip(Cow::<'static, str>::Owned("cow".to_owned()));
    round_trip(vec![1_u8, 2].into_boxed_slice());
    round_trip(Box::<str>::from("box"));
    round_trip(HashMap::from([("a".to_owned(), vec![Some(1_u8), None])]));
    round_trip(Range { start: 1_u8, end: 3 });
    round_trip((Bound::Included(1_u8), Bound::<u8>::Unbounded));
    round_trip(PathBuf::from("/a/b"));
    round_trip("127.0.0.1".parse::<IpAddr>().unwrap());
    round_trip("[::1]:80".parse::<SocketAddr>().unwrap());
    round_trip(Some(Err::<(), String>("no".to_owned())));
    round_trip((Bytes::from_static(b"inside"), vec![7_u8]));
    round_trip(vec![(); 65_536]);
    round_trip(vec![(3_u8, PhantomData::<u8>); 200_000]);
    round_trip(vec![Id(1); 200_000]);
}

/// A month as text, as crates for dates write it.
#[derive(Debug, PartialEq)]
struct Month(u16, u8);

impl Serialize for Month {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        assert!(!serializer.is_human_readable());
        serializer.collect_str(&format_args!("{}-{}", self.0, self.1))
    }
}

impl<'de> Deserialize<'de> for Month {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        use serde::de::Error as _;
        assert!(!deserializer.is_human_readable());
        let text = String::deserialize(deserializer)?;
        let (year, month) = text.split_once('-').ok_or_else(|| D::Error::custom("no dash"))?;
        let (year, month) = (year.parse(), month.parse());
        Ok(Self(
            year.map_err(D::Error::custom)?,
            month.map_err(D::Error::custom)?,
        ))
    }
}

#[test]
fn a_type_with_impls_of_its_own_comes_back() {
    round_trip(vec![Month(2026, 7)]);
}

#[test]
fn an_error_of_a_deserialize_keeps_its_text_and_names_the_type() {
    let body = Codec::Bincode.encode(&"2026".to_owned()).unwrap();
    let error = Codec::Bincode.decode::<Month>(body).unwrap_err();
    assert_eq!(error.to_string(), "cannot decode codec_values::Month: no dash");
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Rich {
    id: Id,
    name: String,
    shapes: Vec<Shape>,
    by_name: BTreeMap<String, Option<Point>>,
    nested: Option<Box<Rich>>,
    units: Vec<()>,
    pair: Pair,
    result: Result<char, (i64, f32)>,
}

fn shape() -> impl Strategy<Value = Shape> {
    prop_oneof![
        Just(Shape::Empty),
        ".{0,20}".prop_map(Shape::Named),
        any::<(u8, u8)>().prop_map(|(a, b)| Shape::Line(a, b)),
        any::<(u16, u16)>().prop_map(|(w, h)| Shape::Box { w, h }),
    ]
}

fn rich() -> impl Strategy<Value = Rich> {
    let point = any::<(i16, u8)>().prop_map(|(x, y)| Point { x, y });
    let parts = (
        any::<u64>().prop_map(Id),
        ".{0,30}",
        prop::collection::vec(shape(), 0..5),
        prop::collection::btree_map(".{0,5}", prop::option::of(point), 0..4),
        prop::collection::vec(Just(()), 0..9),
        any::<(u8, u8)>().prop_map(|(a, b)| Pair(a, b)),
        prop::result::maybe_ok(any::<char>(), (any::<i64>(), -1e6_f32..1e6)),
    );
    let leaf = parts.prop_map(|(id, name, shapes, by_name, units, pair, result)| Rich {
        id,
        name,
        shapes,
        by_name,
        nested: None,
        units,
        pair,
        result,
    });
    leaf.prop_recursive(5, 10, 1, |inner| {
        (inner.clone(), inner).prop_map(|(outer, inner)| Rich {
            nested: Some(Box::new(inner)),
            ..outer
        })
    })
}

proptest! {
    #[test]
    fn any_rich_value_comes_back(value in rich()) {
        round_trip(value);
    }
}
