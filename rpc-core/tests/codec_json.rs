//! JSON bodies are what PROTOCOL.md section 15 says, and come back as the values that they were.

use std::collections::{BTreeMap, HashMap};
use std::fmt::Debug;
use std::net::Ipv4Addr;

use bytes::Bytes;
use pipe_rpc_core::codec::{Codec, DecodeErrorKind, EncodeErrorKind};
use pipe_rpc_core::proto::Body;
use proptest::prelude::*;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

fn text<T: Serialize + 'static>(value: &T) -> String {
    let body = Codec::Json.encode(value).unwrap();
    String::from_utf8(body.as_ref().to_vec()).unwrap()
}

#[track_caller]
fn is_written_as<T>(value: T, json: &str)
where
    T: Serialize + DeserializeOwned + PartialEq + Debug + 'static,
{
    assert_eq!(text(&value), json);
    assert_eq!(read::<T>(json).unwrap(), value);
}

fn read<T: DeserializeOwned + 'static>(json: &str) -> Result<T, DecodeErrorKind> {
    let body = Body::copy_from(json.as_bytes());
    Codec::Json.decode(body).map_err(|error| error.kind().clone())
}

fn not_written<T: Serialize + 'static>(value: T) -> EncodeErrorKind {
    Codec::Json.encode(&value).unwrap_err().kind().clone()
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Unit;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Newtype(u8);

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Pair(u8, bool);

#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
enum Shape {
    Empty,
    #[serde(rename = "one")]
    Newtype(String),
    Tuple(u8, u8),
    Struct {
        side: Option<i64>,
    },
}

#[test]
fn values_are_what_the_specification_says() {
    is_written_as((), "null");
    is_written_as(Unit, "null");
    is_written_as(true, "true");
    is_written_as(-1_i8, "-1");
    is_written_as(u64::MAX, "18446744073709551615");
    is_written_as(1.5_f64, "1.5");
    is_written_as('ß', "\"ß\"");
    is_written_as("a\"\n\u{1}".to_owned(), r#""a\"\n\u0001""#);
    is_written_as(None::<u8>, "null");
    is_written_as(Some(7_u8), "7");
    is_written_as(Newtype(7), "7");
    is_written_as(Pair(7, true), "[7,true]");
    is_written_as(("pipe".to_owned(), 10_u32), r#"["pipe",10]"#);
    is_written_as([1_u8, 2], "[1,2]");
    is_written_as(vec![Some(1_u8), None], "[1,null]");
    is_written_as(Shape::Empty, r#""Empty""#);
    is_written_as(Shape::Newtype("x".to_owned()), r#"{"one":"x"}"#);
    is_written_as(Shape::Tuple(1, 2), r#"{"Tuple":[1,2]}"#);
    is_written_as(Shape::Struct { side: None }, r#"{"Struct":{"side":null}}"#);
    is_written_as(Ok::<u8, String>(3), r#"{"Ok":3}"#);
    is_written_as(Ipv4Addr::LOCALHOST, r#""127.0.0.1""#);
}

#[test]
fn bytes_that_are_the_whole_value_are_sent_as_they_are_and_elsewhere_as_numbers() {
    let bytes = Bytes::from_static(&[0, 0xff, b'"']);
    let body = Codec::Json.encode(&bytes).unwrap();
    assert_eq!(body.as_ref(), [0, 0xff, b'"']);
    assert_eq!(Codec::Json.decode::<Vec<u8>>(body).unwrap(), bytes);
    is_written_as((bytes.clone(), vec![1_u8]), "[[0,255,34],[1]]");
    is_written_as(Some(bytes), "[0,255,34]");
}

#[test]
fn integers_of_128_bits_are_exact() {
    is_written_as(i128::MIN, "-170141183460469231731687303715884105728");
    is_written_as(vec![u128::MAX], "[340282366920938463463374607431768211455]");
}

#[test]
fn keys_that_are_numbers_bools_chars_or_variants_become_strings() {
    is_written_as(BTreeMap::from([(-1_i64, 1_u8), (10, 2)]), r#"{"-1":1,"10":2}"#);
    is_written_as(
        HashMap::from([(u128::MAX, ())]),
        r#"{"340282366920938463463374607431768211455":null}"#,
    );
    is_written_as(
        BTreeMap::from([(false, 1_u8), (true, 2)]),
        r#"{"false":1,"true":2}"#,
    );
    is_written_as(HashMap::from([('ß', 1_u8)]), r#"{"ß":1}"#);
    is_written_as(HashMap::from([(Shape::Empty, 1_u8)]), r#"{"Empty":1}"#);
    is_written_as(HashMap::from([(Some("x".to_owned()), 1_u8)]), r#"{"x":1}"#);
    is_written_as(HashMap::from([(Ipv4Addr::LOCALHOST, 1_u8)]), r#"{"127.0.0.1":1}"#);
}

#[test]
fn other_keys_are_not_sent() {
    assert_eq!(
        not_written(HashMap::from([((1_u8, 2_u8), 0_u8)])),
        EncodeErrorKind::MapKey
    );
    assert_eq!(
        not_written(HashMap::from([(vec![1_u8], 0_u8)])),
        EncodeErrorKind::MapKey
    );
    assert_eq!(not_written(HashMap::from([((), 0_u8)])), EncodeErrorKind::MapKey);
    assert_eq!(
        not_written(HashMap::from([(None::<u8>, 0_u8)])),
        EncodeErrorKind::MapKey
    );
    assert_eq!(
        not_written(HashMap::from([(Bytes::new(), 0_u8)])),
        EncodeErrorKind::MapKey
    );
    assert_eq!(
        not_written(HashMap::from([(Shape::Tuple(1, 2), 0_u8)])),
        EncodeErrorKind::MapKey
    );
    let error = Codec::Json.encode(&HashMap::from([((), 0_u8)])).unwrap_err();
    assert!(error.to_string().ends_with("send a Vec of pairs"), "{error}");
}

#[test]
fn floats_that_json_has_not_are_not_sent() {
    for float in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
        assert_eq!(not_written(vec![float]), EncodeErrorKind::NotFinite);
        assert_eq!(not_written(Some(float as f32)), EncodeErrorKind::NotFinite);
    }
}

#[test]
fn a_some_that_would_come_back_as_none_is_not_sent() {
    assert_eq!(not_written(Some(None::<u8>)), EncodeErrorKind::NullInSome);
    assert_eq!(not_written(vec![Some(())]), EncodeErrorKind::NullInSome);
    assert_eq!(not_written((Some(Unit), 1_u8)), EncodeErrorKind::NullInSome);
    assert_eq!(
        not_written(Some(serde_json::Value::Null)),
        EncodeErrorKind::NullInSome
    );
    is_written_as(Some(Some(1_u8)), "1");
    is_written_as(Some(vec![None::<u8>]), "[null]");
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
struct Sparse {
    #[serde(skip_serializing_if = "Option::is_none")]
    size: Option<u8>,
    #[serde(default, rename = "the name")]
    name: String,
    #[serde(skip)]
    cache: u8,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Flat {
    id: u8,
    #[serde(flatten)]
    sparse: Sparse,
    #[serde(flatten)]
    rest: BTreeMap<String, serde_json::Value>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
enum Untagged {
    Number(u64),
    Text(String),
    Struct { x: f32 },
    Nothing,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind")]
enum Tagged {
    Point { x: i16, y: Option<u8> },
    Sparse(Sparse),
    Nothing,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "t", content = "c")]
enum Adjacent {
    Pair(u8, u8),
    Nothing,
}

#[test]
fn attributes_that_need_names_work() {
    is_written_as(Sparse::default(), r#"{"the name":""}"#);
    let flat = Flat {
        id: 1,
        sparse: Sparse {
            size: Some(2),
            ..Sparse::default()
        },
        rest: BTreeMap::from([("more".to_owned(), serde_json::json!([1, {"a": null}]))]),
    };
    is_written_as(flat, r#"{"id":1,"size":2,"the name":"","more":[1,{"a":null}]}"#);
    is_written_as(
        vec![
            Untagged::Number(u64::MAX),
            Untagged::Text("x".to_owned()),
            Untagged::Struct { x: 0.1 },
            Untagged::Nothing,
        ],
        r#"[18446744073709551615,"x",{"x":0.1},null]"#,
    );
    is_written_as(
        vec![
            Tagged::Point { x: -1, y: None },
            Tagged::Sparse(Sparse::default()),
            Tagged::Nothing,
        ],
        r#"[{"kind":"Point","x":-1,"y":null},{"kind":"Sparse","the name":""},{"kind":"Nothing"}]"#,
    );
    is_written_as(
        vec![Adjacent::Pair(1, 2), Adjacent::Nothing],
        r#"[{"t":"Pair","c":[1,2]},{"t":"Nothing"}]"#,
    );
    is_written_as(
        serde_json::json!({"any": [1, 2.5, "x", null, true]}),
        r#"{"any":[1,2.5,"x",null,true]}"#,
    );
}

#[test]
fn fields_come_in_any_order_and_unknown_ones_are_skipped() {
    let read: Tagged = read(r#" { "y" : 2 , "new" : [[[{}]]], "x":1, "kind":"Point" } "#).unwrap();
    assert_eq!(read, Tagged::Point { x: 1, y: Some(2) });
}

proptest! {
    #[test]
    fn floats_come_back_to_the_bit(double in any::<f64>(), single in any::<f32>()) {
        prop_assume!(double.is_finite() && single.is_finite());
        let read: (f64, f32) = read(&text(&(double, single))).unwrap();
        prop_assert_eq!((read.0.to_bits(), read.1.to_bits()), (double.to_bits(), single.to_bits()));
    }

    #[test]
    fn strings_and_integers_come_back(word in any::<String>(), map: BTreeMap<String, (i64, u64, char)>) {
        let read: (String, BTreeMap<String, (i64, u64, char)>) = read(&text(&(word.clone(), map.clone()))).unwrap();
        prop_assert_eq!(read, (word, map));
    }
}
