//! What the shapes of types are found to be.
#![allow(dead_code, reason = "types are traced, and never made by name")]

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::net::{IpAddr, SocketAddr};
use std::num::NonZeroU32;
use std::ops::Range;
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use pipe_rpc_core::schema::MethodShape;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer};

/// The shape of a type as an argument, with the types that it names.
#[track_caller]
fn is<T: DeserializeOwned + 'static>(expected: &str) {
    let text = MethodShape::new()
        .argument::<T>("value")
        .argument::<()>("unit")
        .text();
    let (first, types) = text.split_once(", ())").expect("the second argument");
    let found = format!("{}{types}", first.strip_prefix('(').unwrap());
    assert_eq!(found, expected);
}

#[test]
fn types_without_parts() {
    is::<bool>("bool");
    is::<(i8, i16, i32, i64, i128)>("(i8, i16, i32, i64, i128)");
    is::<(u8, u16, u32, u64, u128)>("(u8, u16, u32, u64, u128)");
    is::<(f32, f64, char)>("(f32, f64, char)");
    is::<(usize, isize)>("(u64, i64)");
    is::<String>("String");
    is::<Cow<'static, str>>("String");
    is::<Box<str>>("String");
    is::<std::path::PathBuf>("String");
    is::<()>("()");
    is::<[u8; 0]>("()");
}

#[test]
fn types_with_parts() {
    is::<Option<Option<u8>>>("Option<Option<u8>>");
    is::<Vec<Option<String>>>("Vec<Option<String>>");
    is::<HashSet<u16>>("Vec<u16>");
    is::<HashMap<String, Vec<u16>>>("Map<String, Vec<u16>>");
    is::<BTreeMap<u8, ()>>("Map<u8, ()>");
    is::<(u8,)>("(u8,)");
    is::<((u8, u16), u8)>("((u8, u16), u8)");
    is::<Result<u8, String>>("Result<u8, String>");
    is::<Box<Option<Box<u8>>>>("Option<u8>");
}

#[test]
fn equal_elements_of_a_tuple_are_an_array() {
    is::<[u16; 32]>("[u16; 32]");
    is::<(u16, u16)>("[u16; 2]");
    is::<(Box<u16>, u16)>("[u16; 2]");
    is::<[[u8; 2]; 3]>("[[u8; 2]; 3]");
    is::<[u16; 1]>("(u16,)");
}

#[test]
fn bytes_are_one_block_alone_and_a_sequence_inside() {
    is::<Bytes>("Vec<u8>");
    is::<Vec<u8>>("Vec<u8>");
    is::<Option<Bytes>>("Option<Vec<u8>>");
    let both = [
        MethodShape::new().argument::<Bytes>("value").returns::<Vec<u8>>(),
        MethodShape::new().argument::<Vec<u8>>("value").returns::<Bytes>(),
    ];
    for shape in both {
        assert_eq!(shape.text(), "(Bytes) -> Bytes");
    }
    let result = MethodShape::new().returns_result::<Bytes, Vec<u8>>();
    assert_eq!(result.text(), "() -> Result<Bytes, Bytes>");
}

#[test]
fn types_of_the_standard_library() {
    is::<Duration>("Duration; struct Duration { secs: u64, nanos: u32 }");
    is::<SystemTime>("SystemTime; struct SystemTime { secs_since_epoch: u64, nanos_since_epoch: u32 }");
    is::<Range<u8>>("Range; struct Range { start: u8, end: u8 }");
    is::<std::ops::Bound<u8>>("Bound; enum Bound { Unbounded, Included(u8), Excluded(u8) }");
    is::<IpAddr>("IpAddr; enum IpAddr { V4([u8; 4]), V6([u8; 16]) }");
    is::<SocketAddr>("SocketAddr; enum SocketAddr { V4(([u8; 4], u16)), V6(([u8; 16], u16)) }");
    is::<NonZeroU32>("u32");
    is::<std::sync::atomic::AtomicU8>("u8");
    is::<std::num::Wrapping<i8>>("i8");
    is::<std::cmp::Reverse<i8>>("i8");
    is::<std::marker::PhantomData<u8>>("PhantomData; struct PhantomData");
    is::<std::ffi::CString>("Vec<u8>");
}

#[test]
fn types_of_other_crates() {
    is::<(uuid::Uuid, u8)>("(Vec<u8>, u8)");
    is::<(chrono::NaiveDate, u8)>("(String, u8)");
    is::<(chrono::NaiveTime, u8)>("(String, u8)");
    is::<(chrono::NaiveDateTime, u8)>("(String, u8)");
    is::<(chrono::DateTime<chrono::Utc>, u8)>("(String, u8)");
}

#[derive(Deserialize)]
struct Unit;

#[derive(Deserialize)]
struct Meters(f64);

#[derive(Deserialize)]
struct Pair(u8, String);

#[derive(Deserialize)]
struct Empty {}

#[derive(Deserialize)]
struct EmptyTuple();

#[derive(Deserialize)]
struct Entry {
    word: String,
    rank: Option<u32>,
}

#[derive(Deserialize)]
enum Kinds {
    Unit,
    Newtype(Entry),
    Tuple(u8, u16),
    Fields { entry: Entry, count: u8 },
    EmptyTuple(),
    Empty {},
}

#[test]
fn structs_and_enums() {
    is::<Unit>("Unit; struct Unit");
    is::<Meters>("Meters; struct Meters(f64)");
    is::<Pair>("Pair; struct Pair(u8, String)");
    is::<Empty>("Empty; struct Empty {}");
    is::<EmptyTuple>("EmptyTuple; struct EmptyTuple()");
    is::<Entry>("Entry; struct Entry { word: String, rank: Option<u32> }");
    is::<Kinds>(
        "Kinds; enum Kinds { Unit, Newtype(Entry), Tuple(u8, u16), Fields { entry: Entry, count: u8 }, \
         EmptyTuple(), Empty {} }; struct Entry { word: String, rank: Option<u32> }",
    );
}

#[test]
fn every_variant_is_seen_however_deep_its_enum_stands() {
    #[derive(Deserialize)]
    enum Inner {
        A,
        B(u8),
        C { x: u16 },
    }
    #[derive(Deserialize)]
    enum Middle {
        None,
        One(Vec<Inner>),
        Two(Option<BTreeMap<u8, Last>>),
    }
    #[derive(Deserialize)]
    enum Last {
        X,
        Y(Inner, bool),
    }
    #[derive(Deserialize)]
    enum Outer {
        First,
        Second(Box<Middle>),
        Third((u8, Last)),
    }
    is::<Vec<Outer>>(
        "Vec<Outer>; enum Outer { First, Second(Middle), Third((u8, Last)) }; \
         enum Middle { None, One(Vec<Inner>), Two(Option<Map<u8, Last>>) }; \
         enum Inner { A, B(u8), C { x: u16 } }; enum Last { X, Y(Inner, bool) }",
    );
}

#[test]
fn types_that_contain_themselves() {
    #[derive(Deserialize)]
    struct List {
        value: u8,
        next: Option<Box<List>>,
    }
    #[derive(Deserialize)]
    struct Tree(Vec<Tree>);
    #[derive(Deserialize)]
    #[serde(transparent)]
    struct Bare(Vec<Option<Bare>>);
    #[derive(Deserialize)]
    enum Expression {
        Add(Box<Expression>, Box<Expression>),
        Call {
            name: String,
            arguments: Vec<Expression>,
        },
        If(Box<Statement>),
        Number(f64),
    }
    #[derive(Deserialize)]
    enum Statement {
        Block(Vec<Statement>),
        Value(Expression),
        Both(Box<Statement>, Expression),
    }
    #[derive(Deserialize)]
    struct Never(Box<Never>);
    is::<List>("List; struct List { value: u8, next: Option<List> }");
    is::<Tree>("Tree; struct Tree(Vec<Tree>)");
    is::<Bare>("Recursive; type Recursive = Vec<Option<Recursive>>");
    is::<Expression>(
        "Expression; enum Expression { Add(Expression, Expression), \
         Call { name: String, arguments: Vec<Expression> }, If(Statement), Number(f64) }; \
         enum Statement { Block(Vec<Statement>), Value(Expression), Both(Statement, Expression) }",
    );
    is::<Never>("Never; struct Never(Never)");
}

#[test]
fn generic_types_of_one_name_stay_apart() {
    #[derive(Deserialize)]
    struct Page<T> {
        items: Vec<T>,
    }
    mod other {
        #[derive(serde::Deserialize)]
        pub(super) struct Entry {
            other: u8,
        }
        #[derive(serde::Deserialize)]
        pub(super) struct Meters(f64);
    }
    is::<(Page<u8>, Page<Page<String>>)>(
        "(Page, Page#2); struct Page { items: Vec<u8> }; struct Page#2 { items: Vec<Page#3> }; \
         struct Page#3 { items: Vec<String> }",
    );
    is::<(other::Entry, Entry)>(
        "(Entry, Entry#2); struct Entry { other: u8 }; struct Entry#2 { word: String, rank: Option<u32> }",
    );
    // Equal on the wire and of one name: one type.
    is::<(other::Meters, u8, Meters)>("(Meters, u8, Meters); struct Meters(f64)");
    is::<(Page<Meters>, Page<other::Meters>)>(
        "[Page; 2]; struct Page { items: Vec<Meters> }; struct Meters(f64)",
    );
}

#[test]
fn names_that_mean_something_else_have_a_number_or_quotes() {
    #[derive(Deserialize)]
    struct Vec(u8);
    #[derive(Deserialize)]
    #[serde(rename = "u8")]
    struct Byte(u8);
    #[derive(Deserialize)]
    #[serde(rename = "a \"b\"\\")]
    struct Odd {
        #[serde(rename = "e-mail")]
        mail: String,
    }
    is::<Vec>("Vec#1; struct Vec#1(u8)");
    is::<Byte>("u8#1; struct u8#1(u8)");
    is::<Odd>(r#""a \"b\"\\"; struct "a \"b\"\\" { "e-mail": String }"#);
}

#[test]
fn attributes_of_serde() {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase", rename = "Renamed")]
    struct Original {
        first_field: u8,
        #[serde(rename = "other")]
        second: u16,
        #[serde(skip)]
        skipped: u32,
        #[serde(default)]
        with_default: u64,
    }
    #[derive(Deserialize)]
    #[serde(transparent)]
    struct Transparent {
        inner: Entry,
    }
    #[derive(Deserialize)]
    struct Skips(u8, #[serde(skip)] u16);
    #[derive(Deserialize)]
    enum Some {
        #[serde(skip)]
        Not,
        #[serde(rename = "is")]
        Is,
        #[serde(other)]
        Other,
    }
    #[derive(Deserialize)]
    #[serde(from = "(u8, String)")]
    struct From;
    impl core::convert::From<(u8, String)> for From {
        fn from(_: (u8, String)) -> Self {
            Self
        }
    }
    #[derive(Deserialize)]
    struct With {
        #[serde(deserialize_with = "seconds")]
        time: Duration,
        after: u8,
    }
    fn seconds<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
        u64::deserialize(deserializer).map(Duration::from_secs)
    }
    is::<Original>("Renamed; struct Renamed { firstField: u8, other: u16, withDefault: u64 }");
    is::<Transparent>("Entry; struct Entry { word: String, rank: Option<u32> }");
    is::<Skips>("Skips; struct Skips(u8,)");
    is::<Some>("Some; enum Some { is, Other }");
    is::<From>("(u8, String)");
    is::<With>("With; struct With { time: u64, after: u8 }");
}

#[test]
fn aliases_are_no_fields_and_no_variants_of_their_own() {
    #[derive(Deserialize)]
    struct Aliased {
        #[serde(alias = "alpha", alias = "zeta")]
        name: String,
        #[serde(alias = "b")]
        other: Option<Kind>,
        last: u8,
    }
    #[derive(Deserialize)]
    enum Kind {
        #[serde(alias = "Old")]
        New {
            #[serde(alias = "y")]
            x: u8,
        },
        Third,
    }
    is::<Aliased>(
        "Aliased; struct Aliased { name: String, other: Option<Kind>, last: u8 }; \
         enum Kind { New|Old { x: u8 }, Third }",
    );
}

#[derive(Deserialize)]
#[serde(try_from = "String")]
struct Mail;

#[derive(Deserialize)]
#[serde(try_from = "Entry")]
struct Corner;

impl TryFrom<String> for Mail {
    type Error = &'static str;
    fn try_from(_: String) -> Result<Self, Self::Error> {
        Err("no mail")
    }
}

impl TryFrom<Entry> for Corner {
    type Error = &'static str;
    fn try_from(_: Entry) -> Result<Self, Self::Error> {
        Err("no corner")
    }
}

#[test]
fn types_that_take_no_sample_hide_nothing_that_has_a_name() {
    #[derive(Deserialize)]
    struct User {
        id: u8,
        mail: Mail,
        corner: Corner,
        kind: Option<Kind>,
        last: Kind,
    }
    #[derive(Deserialize)]
    enum Kind {
        First(Mail),
        Second { mail: Mail, number: u16 },
    }
    is::<Mail>("String");
    is::<Corner>("Entry; struct Entry { word: String, rank: Option<u32> }");
    is::<(Vec<Mail>, Option<Mail>, u8)>("(Vec<String>, Option<String>, u8)");
    is::<User>(
        "User; struct User { id: u8, mail: String, corner: Entry, kind: Option<Kind>, last: Kind }; \
         struct Entry { word: String, rank: Option<u32> }; \
         enum Kind { First(String), Second { mail: String, number: u16 } }",
    );
}

#[test]
fn what_stands_after_a_refused_sample_in_a_tuple_is_not_seen_and_says_so() {
    #[derive(Deserialize)]
    struct Both(u8, Mail, Entry);
    is::<(u8, Mail, Entry)>("(u8, String, ?)");
    is::<Both>("Both; struct Both(u8, String, ?)");
}

#[test]
fn what_needs_a_format_that_names_things_is_any() {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Untagged {
        Number(u8),
        Text(String),
    }
    #[derive(Deserialize)]
    #[serde(tag = "type")]
    enum Internal {
        A { x: u8 },
    }
    is::<(Untagged, u8)>("(any, u8)");
    is::<Internal>("any");
}

#[test]
fn a_deserialize_that_panics_is_not_asked_again_and_hurts_nothing_else() {
    struct Panics;
    impl<'de> Deserialize<'de> for Panics {
        fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
            u16::deserialize(deserializer)?;
            panic!("on purpose")
        }
    }
    #[derive(Deserialize)]
    struct Holds {
        before: u8,
        panics: Panics,
        after: Entry,
    }
    is::<Holds>(
        "Holds; struct Holds { before: u8, panics: u16, after: Entry }; \
         struct Entry { word: String, rank: Option<u32> }",
    );
}

#[test]
fn a_deserialize_that_asks_for_other_things_each_time_is_not_seen() {
    struct Fickle;
    impl<'de> Deserialize<'de> for Fickle {
        fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
            use std::sync::atomic::{AtomicBool, Ordering};
            static TURN: AtomicBool = AtomicBool::new(false);
            if TURN.fetch_xor(true, Ordering::Relaxed) {
                u8::deserialize(deserializer)?;
            } else {
                String::deserialize(deserializer)?;
            }
            Err(serde::de::Error::custom("no"))
        }
    }
    is::<(Fickle, u8)>("[?; 2]");
}

#[test]
fn large_types_are_traced_in_bounded_time() {
    // Two of each in each, thirty deep: a value with all of it would have a billion parts.
    #[derive(Deserialize)]
    struct Two<T> {
        a: Vec<T>,
        b: Vec<T>,
    }
    macro_rules! nest {
        ($ty:ty;) => { $ty };
        ($ty:ty; $a:tt $($rest:tt)*) => { nest!(Two<$ty>; $($rest)*) };
    }
    type Deep = nest!(u8; 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25 26 27 28 29 30);
    let text = MethodShape::new().argument::<Deep>("deep").text();
    assert!(
        text.ends_with("struct Two#30 { a: Vec<u8>, b: Vec<u8> }"),
        "{text}"
    );
}

#[test]
fn results_and_streams_of_a_method() {
    let shape = MethodShape::new().returns_result::<u8, Kinds>();
    assert!(shape.text().starts_with("() -> Result<u8, Kinds>; enum Kinds {"));
    type Alias = Result<u8, String>;
    let text = |shape: MethodShape| shape.text();
    assert_eq!(
        text(MethodShape::new().returns::<Alias>()),
        "() -> (Result<u8, String>)"
    );
    assert_eq!(
        text(MethodShape::new().returns::<Vec<Alias>>()),
        "() -> Vec<Result<u8, String>>"
    );
    assert_eq!(text(MethodShape::new().returns::<()>()), "()");
    let stream = MethodShape::new()
        .argument_stream::<u8>("items")
        .argument::<Bytes>("head");
    assert_eq!(
        text(stream.returns_stream_result::<Bytes, u8>()),
        "(Streaming<u8>, Bytes) -> Streaming<Bytes, u8>"
    );
    let stream = MethodShape::new()
        .argument_stream_result::<u8, u16>("items")
        .returns_stream::<u8>();
    assert_eq!(text(stream.clone()), "(Streaming<u8, u16>) -> Streaming<u8>");
    assert_eq!(
        text(stream.or_error::<String>()),
        "(Streaming<u8, u16>) -> Result<Streaming<u8>, String>"
    );
}

#[test]
fn the_same_type_behind_a_pointer_is_the_same() {
    #[derive(Deserialize)]
    struct Node {
        next: Option<Box<Node>>,
        other: Box<Entry>,
        entry: Entry,
    }
    is::<(Node, Box<Node>)>(
        "[Node; 2]; struct Node { next: Option<Node>, other: Entry, entry: Entry }; \
         struct Entry { word: String, rank: Option<u32> }",
    );
}

/// An enum of as many variants as there are numbers, each with the given content but for the last, which has none.
macro_rules! many {
    ($name:ident: $content:ty) => {
        struct $name;

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                struct Visitor;

                impl<'de> serde::de::Visitor<'de> for Visitor {
                    type Value = $name;

                    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                        f.write_str("one of many")
                    }

                    fn visit_enum<A: serde::de::EnumAccess<'de>>(self, access: A) -> Result<$name, A::Error> {
                        use serde::de::VariantAccess;
                        let (name, variant): (String, _) = access.variant()?;
                        match name == *NAMES.last().unwrap() {
                            true => variant.unit_variant()?,
                            false => drop(variant.newtype_variant::<$content>()?),
                        }
                        Ok($name)
                    }
                }
                deserializer.deserialize_enum(stringify!($name), NAMES.as_slice(), Visitor)
            }
        }
    };
}

static NAMES: std::sync::LazyLock<Vec<&'static str>> =
    std::sync::LazyLock::new(|| (0..300).map(|index| &*format!("V{index}").leak()).collect());

many!(Errors: String);
many!(Tree: (Box<Tree>, Errors));

#[test]
fn enums_of_hundreds_of_variants_are_seen_whole() {
    let text = MethodShape::new().argument::<Errors>("errors").text();
    assert!(
        text.starts_with("(Errors); enum Errors { V0(String), V1(String), "),
        "{text}"
    );
    assert!(text.ends_with(" V298(String), V299 }"), "{text}");
    let text = MethodShape::new().argument::<Tree>("tree").text();
    assert!(
        text.starts_with("(Tree); enum Tree { V0((Tree, Errors)), V1((Tree, Errors)), "),
        "{text}"
    );
    assert!(
        text.contains(" V298((Tree, Errors)), V299 }; enum Errors { V0(String)"),
        "{text}"
    );
    assert!(!text.contains('?'), "{text}");
}

#[test]
fn a_long_array_is_seen_whole() {
    struct Block;
    impl<'de> Deserialize<'de> for Block {
        fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
            struct Visitor;
            impl<'de> serde::de::Visitor<'de> for Visitor {
                type Value = Block;
                fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                    f.write_str("an array")
                }
                fn visit_seq<A: serde::de::SeqAccess<'de>>(self, mut access: A) -> Result<Block, A::Error> {
                    while access.next_element::<u8>()?.is_some() {}
                    Ok(Block)
                }
            }
            deserializer.deserialize_tuple(100_000, Visitor)
        }
    }
    is::<(Block, bool)>("([u8; 100000], bool)");
}
