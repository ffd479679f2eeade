//! A method's signature as text: what fingerprints are made of and what people see when two of them differ.

use proc_macro2::{Delimiter, TokenStream, TokenTree};
use quote::ToTokens;
use syn::Type;

use crate::model::{Argument, Method, Returns};
use crate::stream::Items;

/// The signature of `method`, the same for every way to space and name it: `(String, u32) -> Result<bool, Error>`.
pub(crate) fn of(method: &Method) -> String {
    let arguments: Vec<String> = method.arguments.iter().map(argument).collect();
    let arguments = arguments.join(", ");
    match &method.returns {
        Returns::Nothing => format!("({arguments})"),
        Returns::Value(ty) => format!("({arguments}) -> {}", text_of(ty)),
        Returns::Result(ok, error) => format!("({arguments}) -> Result<{}, {}>", text_of(ok), text_of(error)),
        Returns::Stream(items) => format!("({arguments}) -> {}", stream("Stream", items)),
        Returns::StreamResult(items, error) => {
            let items = stream("Stream", items);
            format!("({arguments}) -> Result<{items}, {}>", text_of(error))
        }
    }
}

fn argument(argument: &Argument) -> String {
    match &argument.items {
        Some(items) => stream("Streaming", items),
        None => text_of(&argument.ty),
    }
}

/// A stream, the same whatever path the user took to its type.
fn stream(name: &str, items: &Items) -> String {
    match &items.error {
        Some(error) => format!("{name}<{}, {}>", text_of(&items.item), text_of(error)),
        None => format!("{name}<{}>", text_of(&items.item)),
    }
}

pub(crate) fn text_of(ty: &Type) -> String {
    let mut text = Text::default();
    text.extend(ty.to_token_stream());
    text.0
}

/// Tokens as text with spaces in fixed places and without a list's last comma.
#[derive(Default)]
struct Text(String);

impl Text {
    fn extend(&mut self, tokens: TokenStream) {
        for token in tokens {
            match token {
                TokenTree::Group(group) => self.group(group.delimiter(), group.stream()),
                TokenTree::Punct(punct) => self.punct(punct.as_char()),
                word => self.word(&word.to_string()),
            }
        }
    }

    fn group(&mut self, delimiter: Delimiter, content: TokenStream) {
        let (open, close) = match delimiter {
            Delimiter::Parenthesis => ("(", ")"),
            Delimiter::Bracket => ("[", "]"),
            Delimiter::Brace => ("{", "}"),
            Delimiter::None => ("", ""),
        };
        // `(T,)` is a tuple and `(T)` is not: there the last comma means something.
        let keeps_comma = delimiter == Delimiter::Parenthesis && is_one_tuple(&content);
        self.0.push_str(open);
        self.extend(content);
        if !close.is_empty() {
            self.drop_comma();
        }
        if keeps_comma {
            self.0.push(',');
        }
        self.0.push_str(close);
    }

    fn punct(&mut self, punct: char) {
        match punct {
            ',' => self.0.push_str(", "),
            ';' => self.0.push_str("; "),
            '+' => self.0.push_str(" + "),
            '=' => self.0.push_str(" = "),
            '>' => {
                self.drop_comma();
                self.0.push('>');
            }
            other => self.0.push(other),
        }
    }

    fn word(&mut self, word: &str) {
        if self.0.ends_with(|c: char| c.is_alphanumeric() || c == '_') {
            self.0.push(' ');
        }
        self.0.push_str(word);
    }

    fn drop_comma(&mut self) {
        if self.0.ends_with(", ") {
            self.0.truncate(self.0.len() - 2);
        }
    }
}

/// Whether the only comma outside of angle brackets is the last token.
fn is_one_tuple(content: &TokenStream) -> bool {
    syn::parse2::<Type>(TokenStream::from(TokenTree::from(proc_macro2::Group::new(
        Delimiter::Parenthesis,
        content.clone(),
    ))))
    .is_ok_and(|ty| matches!(ty, Type::Tuple(tuple) if tuple.elems.len() == 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(source: &str) -> String {
        text_of(&syn::parse_str(source).unwrap())
    }

    #[test]
    fn spacing_does_not_matter() {
        assert_eq!(
            text("HashMap < String ,Vec<( u8,u16 )> >"),
            "HashMap<String, Vec<(u8, u16)>>"
        );
        assert_eq!(text("[ u8;4 ]"), "[u8; 4]");
        assert_eq!(text("std :: string::String"), "std::string::String");
    }

    #[test]
    fn a_last_comma_matters_only_where_it_makes_a_tuple() {
        assert_eq!(text("Vec<u8,>"), "Vec<u8>");
        assert_eq!(text("(u8, u16,)"), "(u8, u16)");
        assert_eq!(text("(HashMap<u8, u16>,)"), "(HashMap<u8, u16>,)");
        assert_eq!(text("(u8)"), "(u8)");
        assert_eq!(text("()"), "()");
    }

    #[test]
    fn words_stay_apart() {
        assert_eq!(text("<T as Trait>::Item"), "<T as Trait>::Item");
    }
}
