//! Schemas as text: for people, for files, and for the fingerprint. PROTOCOL.md "Names and fingerprints" has the rules.

use std::fmt::{self, Display, Formatter, Write as _};

use super::model::{Argument, Content, Definition, Field, Form, Schema, Signature, Type, UNSEEN, Variant};

/// Longer definitions take a line for each part.
const LINE: usize = 100;

/// What a file says at its end if something could not be seen.
const NOTE: &str =
    "// `?` is what could not be seen: a Deserialize there takes none of the samples it is given.";

impl Display for Schema {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let mut text = String::new();
        write_all(&mut text, self)?;
        f.write_str(&text)?;
        if text.contains(UNSEEN) {
            writeln!(f, "\n{NOTE}")?;
        }
        Ok(())
    }
}

fn write_all(f: &mut String, schema: &Schema) -> fmt::Result {
    writeln!(f, "service {}", Name(&schema.service))?;
    for method in &schema.methods {
        writeln!(f, "fn {method}")?;
    }
    if !schema.types.is_empty() {
        writeln!(f)?;
    }
    for definition in &schema.types {
        let line = definition.to_string();
        match &definition.form {
            Form::Struct(Content::Fields(fields)) if line.len() > LINE => {
                long(f, "struct", &definition.name, fields)?;
            }
            Form::Enum(variants) if line.len() > LINE => long(f, "enum", &definition.name, variants)?,
            _ => writeln!(f, "{line}")?,
        }
    }
    Ok(())
}

fn long(f: &mut String, what: &str, name: &str, parts: &[impl Display]) -> fmt::Result {
    writeln!(f, "{what} {} {{", Name(name))?;
    for part in parts {
        writeln!(f, "    {part},")?;
    }
    writeln!(f, "}}")
}

/// The text whose hash is a method's fingerprint: no names of arguments, and the types that it names after it.
pub(super) fn canonical(method: &Signature, types: &[Definition]) -> String {
    let arguments = Listed(method.arguments.iter().map(|argument| &argument.ty));
    let mut text = format!("({arguments}){}", Output(&method.output));
    for definition in types {
        // Writing to a String does not fail.
        let _ = write!(text, "; {definition}");
    }
    text
}

impl Display for Signature {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let arguments = Listed(self.arguments.iter());
        write!(f, "{}({arguments}){}", Name(&self.name), Output(&self.output))
    }
}

struct Output<'a>(&'a Type);

impl Display for Output<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self.0 {
            Type::Tuple(parts) if parts.is_empty() => Ok(()),
            output => write!(f, " -> {output}"),
        }
    }
}

impl Display for Argument {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", Name(&self.name), self.ty)
    }
}

impl Display for Type {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Word(word) => f.write_str(word),
            Self::Option(ty) => write!(f, "Option<{ty}>"),
            Self::Vec(ty) => write!(f, "Vec<{ty}>"),
            Self::Map(key, value) => write!(f, "Map<{key}, {value}>"),
            Self::Result(ok, error) => write!(f, "Result<{ok}, {error}>"),
            Self::ResultAsValue(result) => write!(f, "({result})"),
            Self::Stream(item, None) => write!(f, "Streaming<{item}>"),
            Self::Stream(item, Some(error)) => write!(f, "Streaming<{item}, {error}>"),
            Self::Tuple(parts) => parentheses(f, parts),
            Self::Array(ty, len) => write!(f, "[{ty}; {len}]"),
            Self::Named(name) => Name(name).fmt(f),
        }
    }
}

/// `(A, B)`, and `(A,)` because `(A)` is something else.
fn parentheses(f: &mut Formatter<'_>, parts: &[Type]) -> fmt::Result {
    match parts {
        [one] => write!(f, "({one},)"),
        parts => write!(f, "({})", Listed(parts.iter())),
    }
}

impl Display for Definition {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let name = Name(&self.name);
        match &self.form {
            Form::Struct(content) => write!(f, "struct {name}{content}"),
            Form::Enum(variants) if variants.is_empty() => write!(f, "enum {name} {{}}"),
            Form::Enum(variants) => write!(f, "enum {name} {{ {} }}", Listed(variants.iter())),
            Form::Alias(ty) => write!(f, "type {name} = {ty}"),
        }
    }
}

impl Display for Variant {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", Name(&self.name), self.content)
    }
}

impl Display for Content {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unit => Ok(()),
            Self::Newtype(ty) => write!(f, "({ty})"),
            Self::Tuple(parts) => parentheses(f, parts),
            Self::Fields(fields) if fields.is_empty() => f.write_str(" {}"),
            Self::Fields(fields) => write!(f, " {{ {} }}", Listed(fields.iter())),
        }
    }
}

impl Display for Field {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", Name(&self.name), self.ty)
    }
}

/// Several with commas between them.
struct Listed<I>(I);

impl<I: Iterator<Item: Display> + Clone> Display for Listed<I> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        for (index, part) in self.0.clone().enumerate() {
            let comma = if index > 0 { ", " } else { "" };
            write!(f, "{comma}{part}")?;
        }
        Ok(())
    }
}

/// A name as it is; between quotes, with a backslash before each quote and backslash, if it has anything but ASCII
/// letters, digits, `_`, `.`, `|` and `#`.
struct Name<'a>(&'a str);

impl Display for Name<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() || !self.0.chars().all(is_of_name) {
            let escaped = self.0.replace('\\', r"\\").replace('"', r#"\""#);
            return write!(f, "\"{escaped}\"");
        }
        f.write_str(self.0)
    }
}

/// What stands in a name without quotes.
pub(super) fn is_of_name(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '|' | '#')
}
