//! Schemas as text, and what is said of two of them.

use std::fmt::Write as _;

use pipe_rpc_core::method::{Method, fingerprint};
use pipe_rpc_core::schema::{Change, CheckError, MethodShape, Schema};
use serde::Deserialize;

#[derive(Deserialize)]
#[allow(dead_code)]
struct Entry {
    word: String,
    rank: Option<u32>,
    similar: Vec<Entry>,
}

#[derive(Deserialize)]
#[allow(dead_code)]
#[serde(rename = "Lookup Error")]
enum LookupError {
    Unknown,
    Locked { by: String },
    Other(u8, (u8,), [u16; 4]),
}

fn find() -> MethodShape {
    let shape = MethodShape::new()
        .argument::<String>("word")
        .argument::<u32>("limit");
    shape.returns_result::<Vec<Entry>, LookupError>()
}

fn count() -> MethodShape {
    MethodShape::new().returns::<Result<u64, String>>()
}

fn import() -> MethodShape {
    let shape = MethodShape::new().argument_stream_result::<Entry, LookupError>("entries");
    shape.returns_stream::<u64>().or_error::<LookupError>()
}

static METHODS: [Method; 4] = [
    Method::new("Thesaurus", "find", "..").with_shape(find),
    Method::new("Thesaurus", "count", "..").with_shape(count),
    Method::new("Thesaurus", "import", "..").with_shape(import),
    Method::new("Thesaurus", "by-hand", "(String)"),
];

const TEXT: &str = r#"service com.example.thesaurus
fn find(word: String, limit: u32) -> Result<Vec<Entry>, "Lookup Error">
fn count() -> (Result<u64, String>)
fn import(entries: Streaming<Entry, "Lookup Error">) -> Result<Streaming<u64>, "Lookup Error">
fn "by-hand"(arguments: ?) -> ?

struct Entry { word: String, rank: Option<u32>, similar: Vec<Entry> }
enum "Lookup Error" { Unknown, Locked { by: String }, Other(u8, (u8,), [u16; 4]) }

// `?` is what could not be seen: a Deserialize there takes none of the samples it is given.
"#;

fn parse(text: &str) -> Schema {
    text.parse().unwrap()
}

#[track_caller]
fn changes(old: &str, new: &str) -> Vec<String> {
    let changes = parse(new).changes_since(&parse(old));
    changes.iter().map(ToString::to_string).collect()
}

/// What is said of a method `f` that takes an `A` when the definitions change.
#[track_caller]
fn says(old: &str, new: &str, expected: &[&str]) {
    let text = |types: &str| format!("service S\nfn f(a: A)\n{types}");
    let changes = parse(&text(new)).changes_since(&parse(&text(old)));
    let differences = changes.iter().flat_map(|change| match change {
        Change::MethodChanged { differences, .. } => differences.clone(),
        other => panic!("{other}"),
    });
    assert_eq!(differences.collect::<Vec<_>>(), expected);
}

#[test]
fn a_schema_is_text_that_reads_like_rust_and_can_be_read_back() {
    let schema = Schema::of("com.example.thesaurus", &METHODS);
    assert_eq!(schema.to_string(), TEXT);
    assert_eq!(parse(TEXT), schema);
    assert_eq!(
        schema.methods().collect::<Vec<_>>(),
        ["find", "count", "import", "by-hand"]
    );
    assert_eq!(parse(&TEXT.replace('\n', "\r\n")), schema);
}

#[test]
fn long_definitions_have_a_line_for_each_part() {
    let mut text = "service S\nfn f(a: A)\n\nstruct A {\n".to_owned();
    for number in 0..20 {
        writeln!(text, "    field_{number}: u32,").unwrap();
    }
    text.push_str("}\n");
    assert_eq!(parse(&text).to_string(), text);
}

#[test]
fn a_text_that_is_no_schema_says_where() {
    for (text, expected) in [
        ("", "line 1: `service` was expected, and there is the end"),
        (
            "service S\nfn f(a u8)",
            "line 2: `:` was expected, and there is `u8`",
        ),
        (
            "service S\nfn f()\nstruct A { a: u8",
            "line 3: a comma or the end of the list was expected, and there is the end",
        ),
        (
            "service S\n\nunion A",
            "line 3: `fn`, `struct`, `enum` or `type` was expected, and there is `union`",
        ),
        (
            "service \"S",
            "line 1: the other quote of the name that begins here was expected, and there is the end",
        ),
    ] {
        assert_eq!(text.parse::<Schema>().unwrap_err().to_string(), expected);
    }
    let deep = format!("service S\nfn f(a: {})", "Option<".repeat(100_000));
    assert!(
        deep.parse::<Schema>()
            .unwrap_err()
            .to_string()
            .contains("nested so deeply")
    );
}

#[test]
fn fingerprints_never_change_for_the_same_shapes() {
    assert_eq!(
        METHODS[0].text(),
        "(String, u32) -> Result<Vec<Entry>, \"Lookup Error\">; struct Entry { word: String, rank: Option<u32>, \
         similar: Vec<Entry> }; enum \"Lookup Error\" { Unknown, Locked { by: String }, Other(u8, (u8,), [u16; 4]) }"
    );
    // Computed from the text by another program; programs in use rely on it.
    assert_eq!(METHODS[0].fingerprint(), 0xbb01_a185_cccd_24d7);
    assert_eq!(METHODS[0].fingerprint(), fingerprint(METHODS[0].text()));
    assert_eq!(METHODS[3].fingerprint(), fingerprint("(String)"));
}

#[test]
fn added_methods_and_renamed_arguments_are_compatible() {
    let (old, new) = ("service S\nfn a(x: u8)", "service S\nfn b()\nfn a(y: u8)");
    assert_eq!(
        changes(old, new),
        ["fn a: the argument `x` is called `y`", "fn b was added"]
    );
    assert!(
        parse(new)
            .changes_since(&parse(old))
            .iter()
            .all(Change::is_compatible)
    );
    assert_eq!(changes(new, new), [""; 0]);
}

#[test]
fn all_else_is_not_and_is_named() {
    let (old, new) = (
        "service S\nfn a(x: u8) -> bool\nfn b()\nfn c(x: u8)",
        "service T\nfn a(x: u16)\nfn c(x: u8, y: Option<u8>)",
    );
    let expected = [
        "service `S` became `T`",
        "fn a: argument 1: `u8` became `u16`; result: `bool` became `()`",
        "fn b was removed",
        "fn c: argument 2: Option<u8> was added",
    ];
    assert_eq!(changes(old, new), expected);
    assert!(
        !parse(new)
            .changes_since(&parse(old))
            .iter()
            .any(Change::is_compatible)
    );
}

#[test]
fn a_difference_is_named_by_the_type_that_it_is_in() {
    let a = "struct A { b: Vec<Option<B>>, n: u8 }";
    let (old, new) = (
        format!("{a} enum B {{ X, Y(u8) }}"),
        format!("{a} enum B {{ X, Y(u16), Z }}"),
    );
    says(
        &old,
        &new,
        &[
            "enum B: variant `Z` was added",
            "enum B, variant Y: `u8` became `u16`",
        ],
    );
    says(
        "struct A { x: u8, y: u8 }",
        "struct A { y: u8, x: u8 }",
        &["struct A, order: `x, y` became `y, x`"],
    );
    says(
        "struct A { x: u8 }",
        "struct A { z: u8 }",
        &[
            "struct A: field `x: u8` was removed",
            "struct A: field `z: u8` was added",
        ],
    );
    says(
        "struct A(u8)",
        "struct A(u8,)",
        &["argument 1: `struct A(u8)` became `struct A(u8,)`"],
    );
    says(
        "enum A { X }",
        "enum A { X {} }",
        &["enum A, variant X: `X` became `X {}`"],
    );
    says(
        "type A = Vec<A>",
        "type A = Vec<Option<A>>",
        &["argument 1: `A` became `Option<A>`"],
    );
}

#[test]
fn another_name_is_a_change_and_another_number_is_none() {
    let meters = "service S\nfn f(a: A)\nstruct A(f64)";
    let feet = "service S\nfn f(a: B)\nstruct B(f64)";
    assert_eq!(changes(meters, feet), ["fn f: argument 1: `A` became `B`"]);
    let numbered = "service S\nfn g(a: A)\nfn f(a: A#2)\nstruct A(u8)\nstruct A#2(f64)";
    assert_eq!(changes(meters, numbered), ["fn g was added"]);
}

#[test]
fn a_file_is_checked_and_says_how_to_write_it_anew() {
    let folder = std::env::temp_dir().join(format!("pipe-rpc-schema-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let path = folder.join("thesaurus.schema");
    let schema = Schema::of("Thesaurus", &METHODS);
    let missing = schema.check_file(&path).unwrap_err();
    assert!(matches!(missing, CheckError::Missing { .. }));
    assert!(
        missing
            .to_string()
            .ends_with("with PIPE_RPC_BLESS=1 in the environment of this test")
    );
    schema.write_file(&path).unwrap();
    assert_eq!(schema.check_file(&path).unwrap(), []);

    let more = schema.to_string().replace("fn count", "fn more()\nfn count");
    let added = Change::MethodAdded {
        method: "more".into(),
    };
    assert_eq!(parse(&more).check_file(&path).unwrap(), [added]);
    let less = schema.to_string().replace("word: String, rank", "rank");
    let error = parse(&less).check_file(&path).unwrap_err().to_string();
    let expected = format!(
        "the service is no longer what `{}` says, and programs that were built from that notice:\n    \
         fn find: struct Entry: field `word: String` was removed\n    \
         fn import: struct Entry: field `word: String` was removed\n\
         if that is meant, have the file written anew with PIPE_RPC_BLESS=1 in the environment of this test",
        path.display()
    );
    assert_eq!(error, expected);
    let panicked = std::panic::catch_unwind(|| parse(&less).assert_file(&path)).unwrap_err();
    assert_eq!(panicked.downcast_ref::<String>(), Some(&expected));
    std::fs::write(&path, "nonsense").unwrap();
    assert!(matches!(
        schema.check_file(&path).unwrap_err(),
        CheckError::Parse { .. }
    ));
    std::fs::remove_dir_all(folder).unwrap();
}
