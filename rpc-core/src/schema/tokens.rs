//! The words, names and marks of a schema's text.

use std::iter::Peekable;
use std::str::CharIndices;

use super::text::is_of_name;

/// A text is no schema.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {expected} was expected, and there is {found}")]
pub struct ParseError {
    line: usize,
    expected: &'static str,
    found: String,
}

impl ParseError {
    /// Where, from 1.
    #[must_use]
    pub fn line(&self) -> usize {
        self.line
    }
}

/// What a text is made of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Token {
    Word(String),
    Quoted(String),
    Mark(char),
    Arrow,
    End,
}

/// The tokens of a text, one after another.
pub(super) struct Tokens<'t> {
    text: &'t str,
    chars: Peekable<CharIndices<'t>>,
    /// What comes next, and where it begins.
    next: (Token, usize),
}

impl<'t> Tokens<'t> {
    pub(super) fn new(text: &'t str) -> Result<Self, ParseError> {
        let mut tokens = Self {
            text,
            chars: text.char_indices().peekable(),
            next: (Token::End, 0),
        };
        tokens.take()?;
        Ok(tokens)
    }

    /// The next token.
    pub(super) fn next(&self) -> &Token {
        &self.next.0
    }

    /// The next token; the one after it comes next.
    pub(super) fn take(&mut self) -> Result<Token, ParseError> {
        let next = self.read()?;
        Ok(std::mem::replace(&mut self.next, next).0)
    }

    fn read(&mut self) -> Result<(Token, usize), ParseError> {
        self.skip();
        let Some((at, first)) = self.chars.next() else {
            return Ok((Token::End, self.text.len()));
        };
        let token = match first {
            '"' => Token::Quoted(self.quoted(at)?),
            '-' if self.chars.next_if(|(_, c)| *c == '>').is_some() => Token::Arrow,
            c if is_of_name(c) => {
                let mut word = String::from(c);
                while let Some((_, c)) = self.chars.next_if(|(_, c)| is_of_name(*c)) {
                    word.push(c);
                }
                Token::Word(word)
            }
            mark => Token::Mark(mark),
        };
        Ok((token, at))
    }

    fn quoted(&mut self, at: usize) -> Result<String, ParseError> {
        let mut name = String::new();
        while let Some((_, c)) = self.chars.next() {
            match c {
                '"' => return Ok(name),
                '\\' => name.extend(self.chars.next().map(|(_, c)| c)),
                c => name.push(c),
            }
        }
        self.next = (Token::End, at);
        Err(self.unexpected("the other quote of the name that begins here"))
    }

    /// Steps over spaces and comments.
    fn skip(&mut self) {
        while let Some((at, c)) = self.chars.peek().copied() {
            if c.is_whitespace() {
                self.chars.next();
            } else if self.text[at..].starts_with("//") {
                while self.chars.next_if(|(_, c)| *c != '\n').is_some() {}
            } else {
                return;
            }
        }
    }

    /// The error that something else was expected in place of the next token.
    pub(super) fn unexpected(&self, expected: &'static str) -> ParseError {
        let (token, at) = &self.next;
        let found = match token {
            Token::Word(word) => format!("`{word}`"),
            Token::Quoted(name) => format!("{name:?}"),
            Token::Mark(mark) => format!("`{mark}`"),
            Token::Arrow => "`->`".to_owned(),
            Token::End => "the end".to_owned(),
        };
        let line = self.text[..*at].matches('\n').count() + 1;
        ParseError {
            line,
            expected,
            found,
        }
    }
}
