//! The options of `#[service(..)]` and `#[rpc(..)]`, and which attributes go along to what is derived.

use std::time::Duration;

use proc_macro2::TokenStream;
use quote::ToTokens;
use syn::meta::ParseNestedMeta;
use syn::parse::Parser as _;
use syn::{Attribute, Expr, Lit, LitStr, Meta, Path, Token};

use crate::duration;
use crate::errors::Errors;
use crate::size;

/// What `#[service(..)]` says.
#[derive(Default)]
pub(crate) struct ServiceOptions {
    pub(crate) name: Option<LitStr>,
    pub(crate) facade: Option<Path>,
    /// All of its methods are.
    pub(crate) ordered: bool,
}

/// What the `#[rpc(..)]`s of one method say.
#[derive(Default)]
pub(crate) struct MethodOptions {
    pub(crate) name: Option<LitStr>,
    pub(crate) oneway: bool,
    pub(crate) idempotent: bool,
    pub(crate) spawn: bool,
    pub(crate) finish: bool,
    pub(crate) ordered: bool,
    pub(crate) timeout: Option<Duration>,
    /// In bytes.
    pub(crate) max_body: Option<u64>,
    /// In KiB.
    pub(crate) buffer: Option<u16>,
}

impl ServiceOptions {
    /// Reads the attribute's arguments.
    pub(crate) fn parse(arguments: TokenStream, errors: &mut Errors) -> Self {
        let mut options = Self::default();
        let mut seen = Seen::default();
        let parser = syn::meta::parser(|meta| match seen.option(&meta, errors).as_str() {
            "name" => name(&meta, errors).map(|name| options.name = name),
            "crate" => {
                options.facade = Some(meta.value()?.call(Path::parse_mod_style)?);
                Ok(())
            }
            "ordered" => {
                options.ordered = true;
                Ok(())
            }
            other => unknown(&meta, "service", other, "`crate`, `name` and `ordered`", errors),
        });
        let parsed = parser.parse2(arguments);
        parsed.unwrap_or_else(|error| errors.push(error));
        options
    }
}

impl MethodOptions {
    /// Reads the `#[rpc(..)]`s among `attributes`.
    pub(crate) fn parse(attributes: &[Attribute], errors: &mut Errors) -> Self {
        let mut options = Self::default();
        let mut seen = Seen::default();
        for attribute in attributes.iter().filter(|a| a.path().is_ident("rpc")) {
            let parsed = attribute.parse_nested_meta(|meta| options.read(&meta, &mut seen, errors));
            parsed.unwrap_or_else(|error| errors.push(error));
        }
        options
    }

    fn read(&mut self, meta: &ParseNestedMeta, seen: &mut Seen, errors: &mut Errors) -> syn::Result<()> {
        match seen.option(meta, errors).as_str() {
            "buffer" => self.buffer = buffer(meta, errors)?,
            "finish" => self.finish = true,
            "idempotent" => self.idempotent = true,
            "max_body" => self.max_body = max_body(meta, errors)?,
            "name" => self.name = name(meta, errors)?,
            "oneway" => self.oneway = true,
            "ordered" => self.ordered = true,
            "spawn" => self.spawn = true,
            "timeout" => self.timeout = timeout(meta, errors)?,
            other => {
                let known = "`buffer`, `finish`, `idempotent`, `max_body`, `name`, `oneway`, `ordered`, `spawn` and \
                             `timeout`";
                unknown(meta, "rpc", other, known, errors)?;
            }
        }
        Ok(())
    }
}

/// The options that were given so far.
#[derive(Default)]
struct Seen(Vec<String>);

impl Seen {
    /// The option's name, which is to be given only once.
    fn option(&mut self, meta: &ParseNestedMeta, errors: &mut Errors) -> String {
        let name = meta.path.to_token_stream().to_string().replace(' ', "");
        if self.0.contains(&name) {
            errors.at(&meta.path, format!("`{name}` is given twice: remove one of them"));
        }
        self.0.push(name.clone());
        name
    }
}

fn name(meta: &ParseNestedMeta, errors: &mut Errors) -> syn::Result<Option<LitStr>> {
    let value: Expr = meta.value()?.parse()?;
    let name = text(&value).filter(|name| is_name(&name.value()));
    if name.is_none() {
        errors.at(
            value,
            "a name on the wire is a string of 1 to 128 bytes: letters, digits, `.`, `_` and `-`",
        );
    }
    Ok(name)
}

fn is_name(text: &str) -> bool {
    let is_allowed = |c: char| c.is_alphanumeric() || matches!(c, '.' | '_' | '-');
    (1..=128).contains(&text.len()) && text.chars().all(is_allowed)
}

fn timeout(meta: &ParseNestedMeta, errors: &mut Errors) -> syn::Result<Option<Duration>> {
    let value: Expr = meta.value()?.parse()?;
    let timeout = text(&value).and_then(|text| duration::parse(&text.value()));
    if timeout.is_none() {
        errors.at(
            value,
            "a timeout is a string with a whole number above 0 and ms, s, m or h, as in \"150ms\" or \"2s\"",
        );
    }
    Ok(timeout)
}

fn max_body(meta: &ParseNestedMeta, errors: &mut Errors) -> syn::Result<Option<u64>> {
    let value: Expr = meta.value()?.parse()?;
    let max_body = text(&value).and_then(|text| size::parse(&text.value()));
    if max_body.is_none() {
        errors.at(
            value,
            "a size is a string with a whole number above 0 and B, KiB, MiB or GiB, as in \"64KiB\" or \"256MiB\"",
        );
    }
    Ok(max_body)
}

fn buffer(meta: &ParseNestedMeta, errors: &mut Errors) -> syn::Result<Option<u16>> {
    let value: Expr = meta.value()?.parse()?;
    let kib = text(&value).and_then(|text| kibibytes(&text.value()));
    if kib.is_none() {
        errors.at(
            value,
            "a buffer is a string with a whole number of KiB or MiB, from 1KiB to 63MiB, as in \"64KiB\"",
        );
    }
    Ok(kib)
}

fn kibibytes(text: &str) -> Option<u16> {
    let (number, factor) = match (text.strip_suffix("KiB"), text.strip_suffix("MiB")) {
        (Some(number), _) => (number, 1),
        (_, Some(number)) => (number, 1024),
        _ => return None,
    };
    let number: u16 = number.parse().ok().filter(|number| *number > 0)?;
    number.checked_mul(factor)
}

/// The string that `value` is, if it is one.
fn text(value: &Expr) -> Option<LitStr> {
    match value {
        Expr::Lit(literal) => match &literal.lit {
            Lit::Str(text) => Some(text.clone()),
            _ => None,
        },
        // What a `macro_rules` passed on.
        Expr::Group(group) => text(&group.expr),
        _ => None,
    }
}

/// Tells of an option that does not exist, and reads over its value.
fn unknown(
    meta: &ParseNestedMeta,
    attribute: &str,
    name: &str,
    known: &str,
    errors: &mut Errors,
) -> syn::Result<()> {
    errors.at(
        &meta.path,
        format!("`{attribute}` has no option `{name}`: it knows {known}"),
    );
    if meta.input.peek(Token![=]) {
        meta.value()?.parse::<Expr>()?;
    } else if !meta.input.is_empty() && !meta.input.peek(Token![,]) {
        let content;
        syn::parenthesized!(content in meta.input);
        content.parse::<TokenStream>()?;
    }
    Ok(())
}

/// Whether `attribute` names `#[rpc]` without being it, so that it would be read too late.
pub(crate) fn hides_rpc(attribute: &Attribute) -> bool {
    attribute.path().is_ident("cfg_attr")
        && (attribute.to_token_stream().to_string().replace(' ', "")).contains(",rpc(")
}

/// Those of `attributes` that hold for all that is derived: `cfg`s, and the lints that the user allows. What is derived
/// may use what is deprecated.
pub(crate) fn inherited(attributes: &[Attribute]) -> Vec<Attribute> {
    let mut inherited = pick(attributes, &["allow", "cfg", "expect"]);
    for attribute in &mut inherited {
        // What is expected of the trait need not come true in what is derived.
        if let Meta::List(list) = &mut attribute.meta
            && list.path.is_ident("expect")
        {
            list.path = syn::parse_quote!(allow);
        }
    }
    if attributes
        .iter()
        .any(|attribute| attribute.path().is_ident("deprecated"))
    {
        inherited.push(syn::parse_quote!(#[allow(deprecated)]));
    }
    inherited
}

/// The `cfg`s among `attributes`.
pub(crate) fn cfgs(attributes: &[Attribute]) -> Vec<Attribute> {
    pick(attributes, &["cfg"])
}

/// The docs among `attributes`, and `deprecated`.
pub(crate) fn docs(attributes: &[Attribute]) -> Vec<Attribute> {
    pick(attributes, &["deprecated", "doc"])
}

fn pick(attributes: &[Attribute], names: &[&str]) -> Vec<Attribute> {
    let is_wanted = |attribute: &&Attribute| names.iter().any(|name| attribute.path().is_ident(name));
    attributes.iter().filter(is_wanted).cloned().collect()
}
