//! Each attribute of serde either works or is an error that names it.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt::Debug;

use pipe_rpc_core::codec::{Codec, DecodeErrorKind, EncodeErrorKind, Unsupported};
use pipe_rpc_core::proto::Body;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

#[track_caller]
fn becomes<T: Serialize + DeserializeOwned + PartialEq + Debug + 'static>(value: &T, expected: &T) {
    let body = Codec::Bincode.encode(value).unwrap();
    assert_eq!(&Codec::Bincode.decode::<T>(body).unwrap(), expected);
}

#[track_caller]
fn is_not_encoded<T: Serialize + 'static>(value: &T, why: Unsupported, named: &str) {
    let error = Codec::Bincode.encode(value).unwrap_err();
    assert_eq!(error.kind(), &EncodeErrorKind::Unsupported(why));
    assert!(error.to_string().contains(named), "{error}");
}

#[track_caller]
fn is_not_decoded<T: DeserializeOwned + Debug + 'static>(body: Body, named: &str) -> DecodeErrorKind {
    let error = Codec::Bincode.decode::<T>(body).unwrap_err();
    assert!(error.to_string().contains(named), "{error}");
    error.kind().clone()
}

#[track_caller]
fn does_not_come_back<T: Serialize + DeserializeOwned + Debug + 'static>(
    value: &T,
    named: &str,
) -> DecodeErrorKind {
    is_not_decoded::<T>(Codec::Bincode.encode(value).unwrap(), named)
}

// What cannot be carried.

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

// What can be carried.

#[test]
fn a_skipped_field_is_its_default() {
    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Entry {
        #[serde(skip)]
        a: u8,
        b: u8,
        #[serde(skip, default = "seven")]
        c: u8,
    }
    fn seven() -> u8 {
        7
    }
    becomes(&Entry { a: 1, b: 2, c: 3 }, &Entry { a: 0, b: 2, c: 7 });
}

#[test]
fn a_skipped_variant_does_not_shift_those_after_it() {
    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    enum Step {
        #[serde(alias = "0")]
        A,
        #[serde(skip)]
        #[allow(dead_code)]
        B,
        C,
        #[serde(alias = "E", alias = "F")]
        D,
    }
    for step in [Step::A, Step::C, Step::D] {
        becomes(&step, &step);
    }
}

#[test]
fn a_variant_is_known_by_its_name_also_when_the_order_differs() {
    #[derive(Serialize)]
    #[allow(dead_code)]
    enum Old {
        A,
        B(u8),
    }
    #[derive(Debug, PartialEq, Deserialize)]
    #[allow(dead_code)]
    enum New {
        B(u8),
        C,
    }
    let body = Codec::Bincode.encode(&Old::B(4)).unwrap();
    assert_eq!(Codec::Bincode.decode::<New>(body).unwrap(), New::B(4));
}

#[test]
fn other_takes_a_variant_that_the_receiver_does_not_know() {
    #[derive(Serialize)]
    #[allow(dead_code)]
    enum New {
        A,
        B,
        C,
    }
    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    enum Old {
        A,
        #[serde(other)]
        Rest,
    }
    let body = Codec::Bincode.encode(&New::C).unwrap();
    assert_eq!(Codec::Bincode.decode::<Old>(body).unwrap(), Old::Rest);
    becomes(&Old::A, &Old::A);
    becomes(&Old::Rest, &Old::Rest);
}

#[test]
fn names_may_be_renamed_and_have_aliases_and_defaults() {
    #[derive(Debug, Default, PartialEq, Serialize, Deserialize)]
    #[serde(rename_all = "camelCase", rename = "other", deny_unknown_fields, default)]
    struct Entry {
        #[serde(alias = "x", alias = "y")]
        first_one: u8,
        #[serde(rename = "2", default)]
        second: Kind,
    }
    #[derive(Debug, Default, PartialEq, Serialize, Deserialize)]
    #[serde(rename_all = "kebab-case")]
    enum Kind {
        #[default]
        One,
        #[serde(rename = "3")]
        Two,
    }
    for second in [Kind::One, Kind::Two] {
        let entry = Entry { first_one: 1, second };
        becomes(&entry, &entry);
    }
}

#[test]
fn transparent_from_and_into_work() {
    #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
    #[serde(transparent)]
    struct Thin {
        inner: u16,
    }
    #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
    #[serde(try_from = "u8", into = "u8")]
    struct Even(u8);
    impl From<Even> for u8 {
        fn from(even: Even) -> Self {
            even.0
        }
    }
    impl TryFrom<u8> for Even {
        type Error = String;
        fn try_from(number: u8) -> Result<Self, String> {
            match number % 2 {
                0 => Ok(Self(number)),
                _ => Err(format!("{number} is odd")),
            }
        }
    }
    becomes(&(Thin { inner: 1 }, Even(2)), &(Thin { inner: 1 }, Even(2)));
    is_not_decoded::<Even>(Body::copy_from(&[3]), "3 is odd");
}

#[test]
fn with_and_its_halves_work() {
    mod doubled {
        use serde::{Deserialize, Deserializer, Serialize, Serializer};
        pub(super) fn serialize<S: Serializer>(value: &u8, serializer: S) -> Result<S::Ok, S::Error> {
            (u16::from(*value) * 2).serialize(serializer)
        }
        pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u8, D::Error> {
            Ok((u16::deserialize(deserializer)? / 2) as u8)
        }
    }
    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Entry {
        #[serde(with = "doubled")]
        a: u8,
        #[serde(serialize_with = "doubled::serialize")]
        #[serde(deserialize_with = "doubled::deserialize")]
        b: u8,
    }
    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    enum Wide {
        #[serde(with = "doubled")]
        A(u8),
    }
    let value = (Entry { a: 200, b: 255 }, Wide::A(3));
    becomes(&value, &value);
}

#[test]
fn remote_and_bound_work() {
    #[derive(Debug, PartialEq)]
    struct Theirs {
        a: u8,
    }
    #[derive(Serialize, Deserialize)]
    #[serde(remote = "Theirs")]
    struct Ours {
        a: u8,
    }
    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    #[serde(bound = "T: Serialize + DeserializeOwned")]
    struct Entry<T> {
        #[serde(with = "Ours")]
        theirs: Theirs,
        rest: Option<T>,
    }
    let (theirs, rest) = (Theirs { a: 4 }, Some(5_u8));
    let entry = Entry { theirs, rest };
    becomes(&entry, &entry);
}

#[test]
fn borrow_works_where_the_type_can_own() {
    let value: (Cow<'static, str>, Cow<'static, [u8]>) = ("text".into(), vec![1, 2].into());
    becomes(&value, &value);
}
