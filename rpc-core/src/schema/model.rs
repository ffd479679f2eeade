//! What a schema is made of: the methods of a service, and the types that they name.

/// The methods of one service and the shapes of all that they take and return.
///
/// `to_string()` gives the text that people read and that [`check_file`](Schema::check_file) keeps; `parse()` reads it.
///
/// ```
/// use pipe_rpc_core::schema::Schema;
///
/// let schema: Schema = "service Thesaurus\nfn synonyms(word: String, limit: u32) -> Vec<String>\n".parse()?;
/// assert_eq!(schema.service(), "Thesaurus");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Schema {
    pub(super) service: String,
    pub(super) methods: Vec<Signature>,
    pub(super) types: Vec<Definition>,
}

impl Schema {
    /// The name of the service.
    #[must_use]
    pub fn service(&self) -> &str {
        &self.service
    }

    /// The names of its methods, as the trait orders them.
    pub fn methods(&self) -> impl Iterator<Item = &str> {
        self.methods.iter().map(|method| method.name.as_str())
    }
}

/// One method.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Signature {
    pub(super) name: String,
    pub(super) arguments: Vec<Argument>,
    /// `Type::UNIT` if it returns nothing.
    pub(super) output: Type,
}

/// One argument of a method.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Argument {
    /// For people: it is not on the wire.
    pub(super) name: String,
    pub(super) ty: Type,
}

/// A type as it is on the wire.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Type {
    /// One of [`WORDS`].
    Word(&'static str),
    Option(Box<Type>),
    /// Of `u8` also what serde calls bytes.
    Vec(Box<Type>),
    Map(Box<Type>, Box<Type>),
    /// As what a method returns: the result and the error that have a status each. Elsewhere an enum like any other.
    Result(Box<Type>, Box<Type>),
    /// A `Result` that is all that a method returns and still an enum like any other.
    ResultAsValue(Box<Type>),
    /// The items of a stream, and the error that may end it.
    Stream(Box<Type>, Option<Box<Type>>),
    Tuple(Vec<Type>),
    /// A tuple of at least two equal elements.
    Array(Box<Type>, usize),
    /// The name of a [`Definition`].
    Named(String),
}

impl Type {
    pub(super) const UNIT: Self = Self::Tuple(Vec::new());
    /// What could not be seen.
    pub(super) const UNSEEN: Self = Self::Word(UNSEEN);
}

/// The text for what could not be seen.
pub(super) const UNSEEN: &str = "?";
/// The text for what only a format can carry that says itself what comes next.
pub(super) const ANY: &str = "any";
/// The text for `Bytes` or `Vec<u8>` as a whole body: one block.
pub(super) const BLOCK: &str = "Bytes";

/// Types without parts.
pub(super) const WORDS: [&str; 18] = [
    "bool", "i8", "i16", "i32", "i64", "i128", "u8", "u16", "u32", "u64", "u128", "f32", "f64", "char",
    "String", BLOCK, ANY, UNSEEN,
];

/// The names of types with parts.
pub(super) const CONSTRUCTORS: [&str; 5] = ["Option", "Vec", "Map", "Result", "Streaming"];

/// A type that has a name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Definition {
    /// serde's name of it; with `#2` after it if another type had that name before.
    pub(super) name: String,
    pub(super) form: Form,
}

impl Definition {
    /// serde's name alone.
    pub(super) fn serde_name(&self) -> &str {
        without_number(&self.name).unwrap_or(&self.name)
    }
}

/// What stands before the `#2` of a name.
pub(super) fn without_number(name: &str) -> Option<&str> {
    let (name, number) = name.rsplit_once('#')?;
    let is_number = !number.is_empty() && number.bytes().all(|b| b.is_ascii_digit());
    is_number.then_some(name)
}

/// Whether a type of that name needs a number after it, because the name alone means something else.
pub(super) fn needs_number(name: &str) -> bool {
    WORDS.contains(&name) || CONSTRUCTORS.contains(&name) || without_number(name).is_some()
}

/// What a type that has a name is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Form {
    Struct(Content),
    Enum(Vec<Variant>),
    /// A type without a name of its own that contains itself.
    Alias(Type),
}

/// One variant of an enum.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Variant {
    pub(super) name: String,
    pub(super) content: Content,
}

/// What is in a struct or variant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Content {
    Unit,
    Newtype(Type),
    Tuple(Vec<Type>),
    Fields(Vec<Field>),
}

/// A field with a name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Field {
    pub(super) name: String,
    pub(super) ty: Type,
}
