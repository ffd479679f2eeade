//! What cannot be carried.

use std::collections::BTreeMap;

use pipe_rpc_core::codec::{Codec, DecodeErrorKind, Unsupported};
use pipe_rpc_core::proto::Body;
use serde::{Deserialize, Serialize};

use super::{becomes, does_not_come_back, is_not_decoded, is_not_encoded};

#[test]
fn skip_serializing_if_is_refused_once_it_skips() {
    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Entry {
        #[serde(skip_serializing_if = "Option::is_none")]
        note: Option<u8>,
    }
    becomes(&Entry { note: Some(1) }, &Entry { note: Some(1) });
    let why = Unsupported::SkipSerializingIf { field: "note" };
    is_not_encoded(&Entry { note: None }, why, "field `note`");
}

#[test]
fn skip_serializing_if_is_refused_in_a_variant() {
    #[derive(Serialize)]
    enum Entry {
        One {
            #[serde(skip_serializing_if = "Option::is_none")]
            note: Option<u8>,
        },
    }
    let why = Unsupported::SkipSerializingIf { field: "note" };
    is_not_encoded(&Entry::One { note: None }, why, "skip_serializing_if");
}

#[test]
fn skip_serializing_if_in_a_tuple_struct_is_found_at_the_receiver() {
    #[derive(Debug, Serialize, Deserialize)]
    struct Entry(
        u8,
        #[serde(skip_serializing_if = "Option::is_none")] Option<u8>,
        Option<u8>,
    );
    let named = "skip_serializing_if in a tuple struct";
    does_not_come_back(&Entry(1, None, Some(0)), named);
    does_not_come_back(&vec![Entry(1, None, None), Entry(2, None, Some(3))], named);
}

#[test]
fn skip_serializing_alone_is_found_at_the_receiver() {
    #[derive(Debug, Serialize, Deserialize)]
    #[allow(dead_code)]
    struct Entry {
        a: u8,
        #[serde(skip_serializing)]
        b: u8,
        c: u8,
    }
    does_not_come_back(&Entry { a: 1, b: 2, c: 3 }, "skip_serializing");
}

#[test]
fn skip_deserializing_alone_is_found_although_the_bytes_fit() {
    #[derive(Debug, Serialize, Deserialize)]
    struct Entry {
        a: u8,
        #[serde(skip_deserializing)]
        b: u8,
        c: u8,
    }
    does_not_come_back(&Entry { a: 1, b: 2, c: 3 }, "skip_deserializing");
    // Out of step, `c` is 0, the length of the Vec is 1 and its element 0: a whole value, only another one.
    let fits = (Entry { a: 1, b: 0, c: 1 }, Vec::<u8>::new());
    let kind = does_not_come_back(&fits, "skip_deserializing");
    assert_eq!(kind, DecodeErrorKind::FieldMismatch);
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Inner {
    a: u8,
}

#[derive(Debug, Serialize, Deserialize)]
struct Flat {
    #[serde(flatten)]
    inner: Inner,
}

const INNER: Inner = Inner { a: 1 };

#[test]
fn flatten_is_refused() {
    is_not_encoded(&Flat { inner: INNER }, Unsupported::Flatten, "#[serde(flatten)]");
}

#[test]
fn flatten_in_a_variant_is_refused() {
    #[derive(Serialize)]
    enum Outer {
        One {
            #[serde(flatten)]
            inner: Inner,
        },
    }
    is_not_encoded(
        &Outer::One { inner: INNER },
        Unsupported::Flatten,
        "#[serde(flatten)]",
    );
}

#[test]
fn flatten_at_the_receiver_alone_is_refused() {
    let map = BTreeMap::from([("a".to_owned(), 1_u8)]);
    let body = Codec::Bincode.encode(&map).unwrap();
    let kind = is_not_decoded::<Flat>(body, "#[serde(flatten)]");
    assert_eq!(kind, Unsupported::Identifier.into());
}

#[test]
fn untagged_is_refused_at_the_receiver() {
    #[derive(Debug, Serialize, Deserialize)]
    #[serde(untagged)]
    enum Either {
        Number(u8),
    }
    let kind = does_not_come_back(&Either::Number(1), "#[serde(untagged)]");
    assert_eq!(kind, Unsupported::Any.into());
}

#[test]
fn an_untagged_variant_is_refused_at_the_receiver() {
    #[derive(Debug, Serialize, Deserialize)]
    enum Either {
        Empty,
        #[serde(untagged)]
        Number(u8),
    }
    does_not_come_back(&Either::Empty, "#[serde(untagged)]");
    does_not_come_back(&Either::Number(1), "#[serde(untagged)]");
}

#[test]
fn tag_is_refused_at_the_receiver() {
    #[derive(Debug, Serialize, Deserialize)]
    #[serde(tag = "type")]
    enum Tagged {
        Empty,
        Inner(Inner),
        Named { a: u8 },
    }
    for value in [Tagged::Empty, Tagged::Inner(INNER), Tagged::Named { a: 1 }] {
        let kind = does_not_come_back(&value, "#[serde(tag)]");
        assert_eq!(kind, Unsupported::Any.into());
    }
}

#[test]
fn tag_on_a_struct_is_found_at_the_receiver() {
    #[derive(Debug, Serialize, Deserialize)]
    #[serde(tag = "type")]
    struct Tagged {
        text: String,
    }
    let text = "abc".to_owned();
    does_not_come_back(&Tagged { text }, "tag on a struct");
}

#[test]
fn tag_and_content_are_refused_at_the_receiver() {
    #[derive(Debug, Serialize, Deserialize)]
    #[serde(tag = "t", content = "c")]
    enum Adjacent {
        Empty,
        One(u8),
        Two(u8, u8),
        Named { a: u8 },
    }
    use Adjacent::{Empty, Named, One, Two};
    for value in [Empty, One(1), Two(1, 2), Named { a: 1 }] {
        let kind = does_not_come_back(&value, "#[serde(tag, content)]");
        assert_eq!(kind, Unsupported::Identifier.into());
    }
}

#[test]
fn field_identifier_is_refused() {
    #[derive(Debug, Deserialize)]
    #[serde(field_identifier)]
    #[allow(dead_code)]
    enum Field {
        A,
    }
    is_not_decoded::<Field>(Body::copy_from(&[0; 4]), "#[serde(field_identifier)]");
}

#[test]
fn ignored_any_is_refused() {
    is_not_decoded::<serde::de::IgnoredAny>(Body::copy_from(&[0; 4]), "IgnoredAny");
}

#[test]
fn a_value_of_a_skipped_variant_is_refused_by_name() {
    #[derive(Serialize)]
    #[allow(dead_code)]
    enum Partly {
        Yes,
        #[serde(skip)]
        No,
    }
    let error = Codec::Bincode.encode(&Partly::No).unwrap_err();
    assert!(error.to_string().contains("Partly::No"), "{error}");
}

#[test]
fn a_variant_that_the_receiver_skips_is_refused() {
    #[derive(Debug, Serialize, Deserialize)]
    enum Partly {
        #[serde(skip_deserializing)]
        No,
        #[allow(dead_code)]
        Yes,
    }
    let kind = does_not_come_back(&Partly::No, "#[serde(skip)]");
    let (name, index) = ("Partly", 0);
    assert_eq!(kind, DecodeErrorKind::InvalidVariant { name, index });
}
