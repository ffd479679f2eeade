//! Rules for one method: its qualifiers, receiver, generics and attributes.

use syn::{ReceiverKind, ReturnType, Safety, Signature};

use super::{arguments, types};
use crate::attributes;
use crate::errors::Errors;
use crate::model::{Method, Returns};

/// Names that the generated clients have functions of.
const CLIENT_FUNCTIONS: [&str; 11] = [
    "builder",
    "caller",
    "clone",
    "closed",
    "connect",
    "connect_with",
    "named",
    "new",
    "with_codec",
    "with_metadata",
    "with_timeout",
];

/// Checks one method, apart from the others.
pub(crate) fn check(method: &Method, errors: &mut Errors) {
    let signature = &method.item.sig;
    qualifiers(signature, errors);
    receiver(signature, errors);
    generics(signature, errors);
    for attribute in method
        .item
        .attrs
        .iter()
        .filter(|attribute| attributes::hides_rpc(attribute))
    {
        errors.at(
            attribute,
            "options of a method cannot depend on a `cfg`: write the method twice, each time with its own `#[cfg]`",
        );
    }
    client_function(method, errors);
    arguments::check(method, errors);
    // What an `fn` returns that should be `async` will be written otherwise anyway.
    if signature.asyncness.is_some() {
        types::check_return(&signature.output, errors);
    }
    oneway(method, errors);
    streams(method, errors);
}

fn qualifiers(signature: &Signature, errors: &mut Errors) {
    if let Some(token) = &signature.constness {
        errors.at(
            token,
            "a method cannot be const, since calling another process is not: remove `const`",
        );
    }
    if let Safety::Unsafe(token) = &signature.safety {
        errors.at(
            token,
            "a method cannot be unsafe: a caller in another process has no contract to keep",
        );
    }
    if let Some(abi) = &signature.abi {
        errors.at(abi, "a method has Rust's own calling convention: remove `extern`");
    }
    if signature.asyncness.is_none() {
        errors.at(
            signature.fn_token,
            "a method is async, since a call may wait: write `async fn`",
        );
    }
}

fn receiver(signature: &Signature, errors: &mut Errors) {
    let Some(receiver) = signature.receiver() else {
        errors.at(
            &signature.ident,
            "a method belongs to a service: take `&self` first",
        );
        return;
    };
    match &receiver.kind {
        ReceiverKind::Reference(_, _, None) => {}
        ReceiverKind::Reference(_, _, Some(_)) => errors.at(
            receiver,
            "many calls of a service run at once: take `&self`, and keep what changes in a `Mutex` or an atomic",
        ),
        _ => errors.at(receiver, "many calls of a service run at once: take `&self`"),
    }
}

fn generics(signature: &Signature, errors: &mut Errors) {
    if !signature.generics.params.is_empty() {
        errors.at(
            &signature.generics.params,
            "a method cannot be generic, since the server must know its types: make it a parameter of the trait",
        );
    }
    if let Some(clause) = &signature.generics.where_clause {
        errors.at(
            clause,
            "a method cannot have bounds of its own: move them to the trait",
        );
    }
}

fn client_function(method: &Method, errors: &mut Errors) {
    let ident = method.ident();
    if CLIENT_FUNCTIONS.iter().any(|function| ident == function) {
        errors.at(
            ident,
            format!(
                "every client has a function `{ident}` of its own: choose another name, and add \
                 `#[rpc(name = \"{ident}\")]` to keep this one on the wire"
            ),
        );
    }
}

fn streams(method: &Method, errors: &mut Errors) {
    let returned = matches!(method.returns, Returns::Stream(_) | Returns::StreamResult(..));
    let (ident, options) = (method.ident(), &method.options);
    match method.upload() {
        Some((argument, _)) if options.oneway => errors.at(
            &argument.ty,
            "nobody waits until a oneway method has its stream: remove `oneway`",
        ),
        Some((argument, _)) if options.idempotent => errors.at(
            &argument.ty,
            "a stream that was begun cannot be sent again: remove `idempotent`",
        ),
        _ if options.oneway && options.finish => errors.at(
            ident,
            "a oneway method runs to its end anyway, since nobody waits for it: remove `finish`",
        ),
        None if options.buffer.is_some() && !returned => errors.at(
            ident,
            "`buffer` is how much of a stream may be under way, and this method has none: remove it",
        ),
        _ => {}
    }
}

fn oneway(method: &Method, errors: &mut Errors) {
    let is_waited_for = !matches!(method.returns, Returns::Nothing);
    if let (true, true, ReturnType::Type(_, ty)) =
        (method.options.oneway, is_waited_for, &method.item.sig.output)
    {
        errors.at(
            ty,
            "nobody waits for what a oneway method returns: remove the return type, or `oneway`",
        );
    }
}
