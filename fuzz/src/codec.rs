//! Bodies: any bytes can be decoded, what comes of them can be encoded, and every value comes back the same.

use std::collections::{BTreeMap, HashMap};
use std::fmt::Debug;

use arbitrary::{Arbitrary, Unstructured};
use bytes::Bytes;
use pipe_rpc_core::codec::{Codec, EncodeErrorKind};
use pipe_rpc_core::proto::Body;
use serde::de::{DeserializeOwned, IgnoredAny};
use serde::{Deserialize, Serialize};

/// A recursive enum with variants of every kind.
#[derive(Arbitrary, Clone, Debug, PartialEq, Serialize, Deserialize)]
enum Tree {
    Leaf,
    Text(String),
    Pair(i8, Box<Tree>),
    Named { left: Option<Box<Tree>>, value: u64 },
    List(Vec<Tree>),
    Map(BTreeMap<String, Tree>),
    Either(Result<bool, char>),
}

/// One of everything that is not recursive.
#[derive(Arbitrary, Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Record {
    integers: (u8, i16, u32, i64, u128, i128, usize),
    double: Double,
    single: Single,
    flag: bool,
    letter: char,
    text: String,
    block: Block,
    bytes: Vec<u8>,
    option: Option<Option<u8>>,
    unit: (),
    nothing: Nothing,
    array: [u16; 3],
    pairs: Vec<Pair>,
    by_number: BTreeMap<i32, Vec<bool>>,
    by_letter: HashMap<char, u8>,
    by_kind: BTreeMap<Kind, Option<String>>,
    units: Vec<()>,
}

#[derive(Arbitrary, Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Nothing;

#[derive(Arbitrary, Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Pair(u8, String);

#[derive(Arbitrary, Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Kind {
    One,
    AnotherOne,
}

/// Bytes inside another value.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Block(Bytes);

impl<'a> Arbitrary<'a> for Block {
    fn arbitrary(u: &mut Unstructured<'a>) -> arbitrary::Result<Self> {
        Vec::arbitrary(u).map(|bytes| Self(bytes.into()))
    }
}

/// Floats that are equal if their bits are.
#[derive(Arbitrary, Clone, Debug, Serialize, Deserialize)]
struct Double(f64);

#[derive(Arbitrary, Clone, Debug, Serialize, Deserialize)]
struct Single(f32);

impl PartialEq for Double {
    fn eq(&self, other: &Self) -> bool {
        self.0.to_bits() == other.0.to_bits()
    }
}

impl PartialEq for Single {
    fn eq(&self, other: &Self) -> bool {
        self.0.to_bits() == other.0.to_bits()
    }
}

/// What only a codec with names can carry.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
enum Untagged {
    Number(i64),
    Text(String),
    List(Vec<Untagged>),
    Named { name: String },
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Flat {
    known: Option<u8>,
    #[serde(flatten)]
    rest: BTreeMap<String, u32>,
}

/// The first byte chooses the type, the codec, and whether the rest is a body or a value to make one of.
pub fn run(input: &[u8]) {
    let Some((choice, rest)) = input.split_first() else {
        return;
    };
    let codec = if choice & 1 == 0 {
        Codec::Bincode
    } else {
        Codec::Json
    };
    if choice & 2 == 0 {
        decode_any(codec, choice >> 2, rest);
    } else {
        encode_any(codec, choice >> 2, rest);
    }
}

fn decode_any(codec: Codec, which: u8, body: &[u8]) {
    match which % 14 {
        0 => decode::<Tree>(codec, body),
        1 => decode::<Record>(codec, body),
        2 => decode::<String>(codec, body),
        3 => decode::<Bytes>(codec, body),
        4 => decode::<Vec<u8>>(codec, body),
        5 => decode::<(Option<Block>, [bool; 3], i128, char)>(codec, body),
        6 => decode::<Vec<BTreeMap<u8, Vec<()>>>>(codec, body),
        7 => decode::<HashMap<String, Result<Tree, Pair>>>(codec, body),
        8 => decode::<BTreeMap<i128, Option<Box<Tree>>>>(codec, body),
        9 => decode::<(Double, Single, Vec<Single>)>(codec, body),
        10 => decode::<serde_json::Value>(codec, body),
        11 => drop(codec.decode::<IgnoredAny>(Body::copy_from(body))),
        12 => decode::<Untagged>(codec, body),
        _ => decode::<Flat>(codec, body),
    }
}

fn decode<T: Serialize + DeserializeOwned + Debug + PartialEq + 'static>(codec: Codec, body: &[u8]) {
    match codec.decode::<T>(Body::copy_from(body)) {
        Ok(value) => come_back(codec, &value, |kind| match kind {
            // The body may have been longer: with keys that came twice.
            EncodeErrorKind::TooManyValues { .. } => codec == Codec::Bincode,
            // An empty map reads as a struct whose fields are flattened.
            EncodeErrorKind::Unsupported(_) => codec == Codec::Bincode,
            _ => false,
        }),
        Err(error) => assert!(error.to_string().len() < 2000, "{error}"),
    }
}

fn encode_any(codec: Codec, which: u8, values: &[u8]) {
    match which % 7 {
        0 => encode::<Tree>(codec, values),
        1 => encode::<Record>(codec, values),
        2 => encode::<(Vec<Tree>, Option<Pair>)>(codec, values),
        3 => encode::<BTreeMap<Kind, Tree>>(codec, values),
        4 => encode::<Vec<Vec<Option<Vec<()>>>>>(codec, values),
        5 => encode::<Vec<u8>>(codec, values),
        _ => encode::<(Double, Single, i128, Block)>(codec, values),
    }
}

fn encode<T>(codec: Codec, values: &[u8])
where
    T: for<'a> Arbitrary<'a> + Serialize + DeserializeOwned + Debug + PartialEq + 'static,
{
    if let Ok(value) = T::arbitrary_take_rest(Unstructured::new(values)) {
        come_back(codec, &value, |kind| is_out_of_reach(codec, kind));
    }
}

/// The value is decoded from what it is encoded to, unless it is refused for a good reason.
fn come_back<T>(codec: Codec, value: &T, is_good_reason: impl Fn(&EncodeErrorKind) -> bool)
where
    T: Serialize + DeserializeOwned + Debug + PartialEq + 'static,
{
    let body = match codec.encode(value) {
        Ok(body) => body,
        Err(error) => {
            assert!(is_good_reason(error.kind()), "{error}: {value:?}");
            return;
        }
    };
    match codec.decode::<T>(body) {
        Ok(read) => assert_eq!(read, *value),
        Err(error) => panic!("{error}: {value:?}"),
    }
}

/// Whether there are values that the codec cannot carry, and may say so.
fn is_out_of_reach(codec: Codec, kind: &EncodeErrorKind) -> bool {
    match kind {
        EncodeErrorKind::TooDeep { .. } => true,
        EncodeErrorKind::TooManyValues { .. } => codec == Codec::Bincode,
        EncodeErrorKind::NotFinite | EncodeErrorKind::NullInSome => codec == Codec::Json,
        _ => false,
    }
}
