//! Why a value could not become a body, or a body a value.

use std::str::Utf8Error;

/// A value could not become a body.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("cannot encode {type_name}: {kind}")]
pub struct EncodeError {
    type_name: &'static str,
    kind: EncodeErrorKind,
}

impl EncodeError {
    #[cold]
    pub(super) fn of<T>(kind: EncodeErrorKind) -> Self {
        Self {
            type_name: std::any::type_name::<T>(),
            kind,
        }
    }

    /// The type of the whole value.
    #[must_use]
    pub fn type_name(&self) -> &'static str {
        self.type_name
    }

    /// What was wrong.
    #[must_use]
    pub fn kind(&self) -> &EncodeErrorKind {
        &self.kind
    }
}

/// What kept a value from becoming a body.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EncodeErrorKind {
    /// Too many values one inside another.
    #[error("more than {limit} values stand one inside another; send long chains as a Vec")]
    TooDeep {
        /// The limit.
        limit: u8,
    },
    /// Too many elements that take no bytes.
    #[error(
        "its sequences have {elements} elements where at most {limit} can be sent; send how many there are instead"
    )]
    TooManyValues {
        /// The elements of all sequences and maps together.
        elements: u64,
        /// The limit: the bytes of the body, and 65,536 more.
        limit: u64,
    },
    /// An enum has more than 65,536 variants.
    #[error("variant {index} of {name} is one too many; an enum can have 65,536 variants")]
    TooManyVariants {
        /// The enum.
        name: &'static str,
        /// The variant's index.
        index: u32,
    },
    /// A `Serialize` announced one number of elements or fields and wrote another.
    #[error(
        "{found} elements or fields were written where {announced} were announced; correct its Serialize"
    )]
    LengthMismatch {
        /// The number announced.
        announced: usize,
        /// The number written.
        found: usize,
    },
    /// It uses something that only a format with names can carry.
    #[error(transparent)]
    Unsupported(#[from] Unsupported),
    /// JSON: a float that is NaN or infinite.
    #[error(
        "a float is NaN or infinite, and JSON has no such numbers; send an Option or an enum in its place"
    )]
    NotFinite,
    /// JSON: a key of a map that is no text.
    #[error(
        "a map has keys that are no strings, numbers, bools, chars or variants without content, and JSON has no \
         others; send a Vec of pairs"
    )]
    MapKey,
    /// JSON: a `Some` around what is written as `null`.
    #[error("Some(None) and Some(()) are null in JSON, as None is; use an enum that names the cases")]
    NullInSome,
    /// The message of a `Serialize` that failed.
    #[error("{0}")]
    Custom(String),
}

/// A body could not become a value.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("cannot decode {type_name}: {kind}")]
pub struct DecodeError {
    type_name: &'static str,
    kind: DecodeErrorKind,
}

impl DecodeError {
    #[cold]
    pub(super) fn of<T>(kind: DecodeErrorKind) -> Self {
        Self {
            type_name: std::any::type_name::<T>(),
            kind,
        }
    }

    /// The type of the whole value.
    #[must_use]
    pub fn type_name(&self) -> &'static str {
        self.type_name
    }

    /// What was wrong.
    #[must_use]
    pub fn kind(&self) -> &DecodeErrorKind {
        &self.kind
    }
}

/// What kept a body from becoming a value.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DecodeErrorKind {
    /// Too many values one inside another.
    #[error("more than {limit} values stand one inside another; send long chains as a Vec")]
    TooDeep {
        /// The limit.
        limit: u8,
    },
    /// Sequences announce more elements than the body can have.
    #[error("its sequences announce {elements} elements where its bytes allow {limit}; {MISFIT}")]
    TooManyValues {
        /// The elements of all sequences and maps up to that one together.
        elements: u64,
        /// The limit: the bytes of the body, and 65,536 more.
        limit: u64,
    },
    /// The value ended before the body.
    #[error("{bytes} bytes are left over; {MISFIT}")]
    LeftOver {
        /// The bytes that are left.
        bytes: usize,
    },
    /// The body ended before the value.
    #[error("the body ends too early; {MISFIT}")]
    UnexpectedEnd,
    /// The two ends do not have the same fields.
    #[error("its structs have other fields at the sender; {MISFIT}")]
    FieldMismatch,
    /// A `Deserialize` did not take all elements of a sequence, tuple or map.
    #[error("{count} elements were left unread; its Deserialize must take all that there are")]
    Unread {
        /// The elements left, or keys and values.
        count: usize,
    },
    /// A string is not UTF-8.
    #[error("a string is not UTF-8; {MISFIT}")]
    InvalidUtf8(#[source] Utf8Error),
    /// A `bool` is neither 0 nor 1.
    #[error("{found} is no bool; {MISFIT}")]
    InvalidBool {
        /// The byte found.
        found: u8,
    },
    /// The tag of an `Option` is neither 0 nor 1.
    #[error("{found} is no tag of an Option; {MISFIT}")]
    InvalidOption {
        /// The byte found.
        found: u8,
    },
    /// A `char` is not UTF-8.
    #[error("{bytes:02x?} is no char; {MISFIT}")]
    InvalidChar {
        /// The bytes found.
        bytes: [u8; 4],
    },
    /// An enum has no such variant.
    #[error(
        "{name} has no variant like the sender's variant {index}; both ends must have it, by the same name and \
         without #[serde(skip)]"
    )]
    InvalidVariant {
        /// The enum.
        name: &'static str,
        /// The variant's index at the sender.
        index: u32,
    },
    /// It uses something that only a format with names can carry.
    #[error(transparent)]
    Unsupported(#[from] Unsupported),
    /// JSON: the body is not UTF-8.
    #[error("the body is not UTF-8, which JSON must be")]
    NotText(#[source] Utf8Error),
    /// JSON: the body is not one value and nothing more; the text says why and where.
    #[error("the body is not one JSON value: {0}")]
    InvalidJson(String),
    /// JSON: an object has the same key twice.
    #[error("an object has the key {key:?} twice; send it once")]
    DuplicateKey {
        /// The key, or how it begins.
        key: String,
    },
    /// The message of a `Deserialize` that failed.
    #[error("{0}")]
    Custom(String),
}

/// The reasons for which a body does not fit its type, if no peer means harm.
const MISFIT: &str = "the type must be the same at both ends, with #[serde(skip)] in place of skip_serializing or \
                      skip_deserializing, and without skip_serializing_if in a tuple struct or tag on a struct";

/// What a codec cannot carry that writes no names of fields and no types.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Unsupported {
    /// `#[serde(skip_serializing_if = "..")]`
    #[error(
        "field `{field}` is left out by #[serde(skip_serializing_if)], and the receiver could not tell; remove the \
         attribute, an Option that is None takes one byte"
    )]
    SkipSerializingIf {
        /// The field that was to be left out.
        field: &'static str,
    },
    /// `#[serde(flatten)]`, or a map that does not know its length.
    #[error(
        "#[serde(flatten)] needs the names of fields, which are not sent; make it a plain field. If it is no struct \
         but a map, its length must be known: collect it first"
    )]
    Flatten,
    /// A sequence that does not know its length.
    #[error("a sequence must know its length; collect it into a Vec first")]
    UnknownLength,
    /// `#[serde(untagged)]`, `#[serde(tag = "..")]`, or a type like `serde_json::Value`.
    #[error(
        "#[serde(untagged)], #[serde(tag)], #[serde(flatten)] and types like serde_json::Value need a format that \
         says what comes next; use an enum without these attributes, or send text"
    )]
    Any,
    /// `#[serde(tag = "..", content = "..")]`, `#[serde(flatten)]`, or a field or variant name as a value.
    #[error(
        "#[serde(tag, content)], #[serde(flatten)] and #[serde(field_identifier)] need names, which are not sent; use \
         an enum without these attributes and a plain field"
    )]
    Identifier,
    /// `serde::de::IgnoredAny`.
    #[error("serde::de::IgnoredAny cannot step over a value whose type is not sent; name its type")]
    IgnoredAny,
}
