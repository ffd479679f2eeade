//! Rules for a method's arguments: how many, how they are written, and where the context goes.

use syn::{Attribute, Pat, PatType, Type};

use super::types;
use crate::errors::Errors;
use crate::model::{self, Method};

/// serde knows tuples up to this length.
const MOST: usize = 16;

/// Checks the arguments of `method`.
pub(crate) fn check(method: &Method, errors: &mut Errors) {
    let typed: Vec<&PatType> = method.item.sig.inputs.iter().filter_map(model::typed).collect();
    for (index, argument) in typed.iter().enumerate() {
        attributes(&argument.attrs, errors);
        if method.takes_context && index == 0 {
            continue;
        }
        pattern(argument, errors);
        if !misplaced_context(&argument.ty, method.takes_context, errors) {
            types::check_argument(&argument.ty, errors);
        }
    }
    let mut streams = method
        .arguments
        .iter()
        .filter(|argument| argument.items.is_some());
    if let Some(second) = streams.nth(1) {
        errors.at(
            &second.ty,
            "a method takes one stream: make the items an enum, or add a method",
        );
    }
    if let Some(argument) = typed.get(MOST + usize::from(method.takes_context)) {
        errors.at(
            argument,
            format!("a method has at most {MOST} arguments: put some of them into a struct"),
        );
    }
}

fn pattern(argument: &PatType, errors: &mut Errors) {
    let is_name = matches!(&*argument.pat, Pat::Ident(pattern)
        if pattern.by_ref.is_none() && pattern.subpat.is_none());
    if !is_name {
        errors.at(
            &argument.pat,
            "clients have the arguments by name: write a name here, and take the value apart in the method",
        );
    }
}

fn attributes(attributes: &[Attribute], errors: &mut Errors) {
    for attribute in attributes
        .iter()
        .filter(|a| a.path().is_ident("cfg") || a.path().is_ident("cfg_attr"))
    {
        errors.at(
            attribute,
            "an argument cannot depend on a `cfg`: write the method twice, each time with its own `#[cfg]`",
        );
    }
}

/// Tells of a context that is not the first argument or not behind `&`.
fn misplaced_context(ty: &Type, has_one: bool, errors: &mut Errors) -> bool {
    let message = match ty {
        _ if model::is_context_reference(ty) && has_one => "a method has one context: remove this one",
        _ if model::is_context_reference(ty) => "the context comes first: move it to right after `&self`",
        Type::Reference(reference) if model::is_context(&reference.elem) => {
            "the context cannot be changed: take `cx: &Context`"
        }
        _ if model::is_context(ty) => {
            "the context is lent: take `cx: &Context` right after `&self` (a `Context` of your own needs another name)"
        }
        _ => return false,
    };
    errors.at(ty, message);
    true
}
