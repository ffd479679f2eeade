//! Schemas read back from their text.

use std::str::FromStr;

use super::model::{Argument, Content, Definition, Field, Form, Schema, Signature, Type, Variant, WORDS};
use super::tokens::{ParseError, Token, Tokens};

/// How deep types may stand one inside another in a text.
const MAX_DEPTH: usize = 256;

impl FromStr for Schema {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, ParseError> {
        let mut parser = Parser::new(text)?;
        parser.keyword("service")?;
        let service = parser.name()?;
        let mut methods = Vec::new();
        while parser.takes_keyword("fn")? {
            methods.push(parser.method()?);
        }
        let types = parser.definitions()?;
        Ok(Self {
            service,
            methods,
            types,
        })
    }
}

/// Reads the text whose hash is the fingerprint of the method `name`. Of a text that was cut off, as far as it goes.
pub(super) fn canonical(name: &str, text: &str) -> Option<(Signature, Vec<Definition>)> {
    let mut parser = Parser::new(text).ok()?;
    let method = parser.signature(name.to_owned(), |parser| {
        let ty = parser.ty()?;
        let name = String::new();
        Ok(Argument { name, ty })
    });
    let method = method.ok()?;
    let mut definitions = Vec::new();
    while let Ok(Some(definition)) = parser.definition() {
        definitions.push(definition);
    }
    Some((method, definitions))
}

struct Parser<'t> {
    tokens: Tokens<'t>,
    depth: usize,
}

impl<'t> Parser<'t> {
    fn new(text: &'t str) -> Result<Self, ParseError> {
        let tokens = Tokens::new(text)?;
        Ok(Self { tokens, depth: 0 })
    }

    // What a schema is made of.

    fn method(&mut self) -> Result<Signature, ParseError> {
        let name = self.name()?;
        self.signature(name, |parser| {
            let Field { name, ty } = parser.field()?;
            Ok(Argument { name, ty })
        })
    }

    fn signature(
        &mut self,
        name: String,
        argument: fn(&mut Self) -> Result<Argument, ParseError>,
    ) -> Result<Signature, ParseError> {
        self.mark('(', "`(`")?;
        let (arguments, _) = self.list(')', argument)?;
        let output = match *self.next() {
            Token::Arrow => {
                self.take()?;
                self.output()?
            }
            _ => Type::UNIT,
        };
        Ok(Signature {
            name,
            arguments,
            output,
        })
    }

    /// `(Result<A, B>)` is a `Result` as a value; elsewhere a type between parentheses is a tuple.
    fn output(&mut self) -> Result<Type, ParseError> {
        if *self.next() != Token::Mark('(') {
            return self.ty();
        }
        self.take()?;
        let (mut parts, comma) = self.list(')', Self::ty)?;
        match (parts.len(), comma) {
            (1, false) => Ok(Type::ResultAsValue(Box::new(parts.remove(0)))),
            _ => Ok(Type::Tuple(parts)),
        }
    }

    fn definitions(&mut self) -> Result<Vec<Definition>, ParseError> {
        std::iter::from_fn(|| self.definition().transpose()).collect()
    }

    fn definition(&mut self) -> Result<Option<Definition>, ParseError> {
        if *self.next() == Token::Mark(';') {
            self.take()?;
        }
        if *self.next() == Token::End {
            return Ok(None);
        }
        let (name, form) = if self.takes_keyword("struct")? {
            (self.name()?, Form::Struct(self.content()?))
        } else if self.takes_keyword("enum")? {
            let name = self.name()?;
            self.mark('{', "`{`")?;
            (name, Form::Enum(self.list('}', Self::variant)?.0))
        } else if self.takes_keyword("type")? {
            let name = self.name()?;
            self.mark('=', "`=`")?;
            (name, Form::Alias(self.ty()?))
        } else {
            return Err(self.unexpected("`fn`, `struct`, `enum` or `type`"));
        };
        Ok(Some(Definition { name, form }))
    }

    fn variant(&mut self) -> Result<Variant, ParseError> {
        let name = self.name()?;
        let content = self.content()?;
        Ok(Variant { name, content })
    }

    fn content(&mut self) -> Result<Content, ParseError> {
        match *self.next() {
            Token::Mark('(') => {
                self.take()?;
                let (mut parts, comma) = self.list(')', Self::ty)?;
                match (parts.len(), comma) {
                    (1, false) => Ok(Content::Newtype(parts.remove(0))),
                    _ => Ok(Content::Tuple(parts)),
                }
            }
            Token::Mark('{') => {
                self.take()?;
                Ok(Content::Fields(self.list('}', Self::field)?.0))
            }
            _ => Ok(Content::Unit),
        }
    }

    fn field(&mut self) -> Result<Field, ParseError> {
        let name = self.name()?;
        self.mark(':', "`:`")?;
        let ty = self.ty()?;
        Ok(Field { name, ty })
    }

    fn ty(&mut self) -> Result<Type, ParseError> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(self.unexpected("a type that is not nested so deeply"));
        }
        let ty = match self.take()? {
            Token::Quoted(name) => Type::Named(name),
            Token::Mark('?') => Type::UNSEEN,
            Token::Mark('(') => Type::Tuple(self.list(')', Self::ty)?.0),
            Token::Mark('[') => self.array()?,
            Token::Word(word) if *self.next() == Token::Mark('<') => self.constructed(&word)?,
            Token::Word(word) => match WORDS.iter().find(|known| **known == word) {
                Some(known) => Type::Word(known),
                None => Type::Named(word),
            },
            _ => return Err(self.unexpected("a type")),
        };
        self.depth -= 1;
        Ok(ty)
    }

    fn array(&mut self) -> Result<Type, ParseError> {
        let ty = Box::new(self.ty()?);
        self.mark(';', "`;`")?;
        let len = self.name()?;
        let len = len.parse().map_err(|_| self.unexpected("a length before this"))?;
        self.mark(']', "`]`")?;
        Ok(Type::Array(ty, len))
    }

    fn constructed(&mut self, name: &str) -> Result<Type, ParseError> {
        self.take()?;
        let mut parts = self.list('>', Self::ty)?.0.into_iter().map(Box::new);
        let parts = (parts.next(), parts.next(), parts.next());
        match (name, parts) {
            ("Option", (Some(ty), None, None)) => Ok(Type::Option(ty)),
            ("Vec", (Some(ty), None, None)) => Ok(Type::Vec(ty)),
            ("Map", (Some(key), Some(value), None)) => Ok(Type::Map(key, value)),
            ("Result", (Some(ok), Some(error), None)) => Ok(Type::Result(ok, error)),
            ("Streaming", (Some(item), error, None)) => Ok(Type::Stream(item, error)),
            _ => Err(self
                .unexpected("Option, Vec, Map, Result or Streaming of as many types as it has, before this")),
        }
    }

    /// Parts with commas between them up to `end`; also whether a comma was the last of them.
    fn list<T>(
        &mut self,
        end: char,
        mut part: impl FnMut(&mut Self) -> Result<T, ParseError>,
    ) -> Result<(Vec<T>, bool), ParseError> {
        let (mut parts, mut comma) = (Vec::new(), false);
        while *self.next() != Token::Mark(end) {
            if !parts.is_empty() && !comma {
                return Err(self.unexpected("a comma or the end of the list"));
            }
            parts.push(part(self)?);
            comma = *self.next() == Token::Mark(',');
            if comma {
                self.take()?;
            }
        }
        self.take()?;
        Ok((parts, comma))
    }

    // Tokens.

    fn name(&mut self) -> Result<String, ParseError> {
        match self.next() {
            Token::Word(_) | Token::Quoted(_) => match self.take()? {
                Token::Word(name) | Token::Quoted(name) => Ok(name),
                _ => Err(self.unexpected("a name")),
            },
            _ => Err(self.unexpected("a name")),
        }
    }

    fn mark(&mut self, mark: char, expected: &'static str) -> Result<(), ParseError> {
        if *self.next() != Token::Mark(mark) {
            return Err(self.unexpected(expected));
        }
        self.take().map(drop)
    }

    fn keyword(&mut self, word: &'static str) -> Result<(), ParseError> {
        match self.takes_keyword(word)? {
            true => Ok(()),
            false => Err(self.unexpected("`service`")),
        }
    }

    fn takes_keyword(&mut self, word: &str) -> Result<bool, ParseError> {
        let is_it = matches!(self.next(), Token::Word(next) if next == word);
        if is_it {
            self.take()?;
        }
        Ok(is_it)
    }

    fn next(&self) -> &Token {
        self.tokens.next()
    }

    fn take(&mut self) -> Result<Token, ParseError> {
        self.tokens.take()
    }

    fn unexpected(&self, expected: &'static str) -> ParseError {
        self.tokens.unexpected(expected)
    }
}
