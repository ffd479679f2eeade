//! What can be carried.

use std::borrow::Cow;

use pipe_rpc_core::codec::Codec;
use pipe_rpc_core::proto::Body;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::{becomes, is_not_decoded};

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
