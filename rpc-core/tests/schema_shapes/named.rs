//! Structs and enums: their parts, those that contain themselves, and names that more than one has.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::{Entry, is};

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
pub(super) enum Kinds {
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
