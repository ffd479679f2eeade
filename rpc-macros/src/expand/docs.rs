//! The docs of a client's method: the trait's, and what the trait cannot say.

use proc_macro2::TokenStream;
use quote::{ToTokens as _, quote};
use syn::ext::IdentExt as _;

use crate::attributes;
use crate::model::{Method, Returns, Service};

/// Docs of the async client's `method`.
pub(super) fn of_async(service: &Service, method: &Method) -> TokenStream {
    let docs = of_blocking(service, method);
    let safety =
        (!has_section(method, "Cancel safety")).then(|| section("Cancel safety", cancel_safety(method)));
    quote!(#docs #safety)
}

/// Docs of the blocking client's `method`.
pub(super) fn of_blocking(service: &Service, method: &Method) -> TokenStream {
    let docs = attributes::docs(&method.item.attrs);
    let link = format!(
        " Calls [`{0}::{1}`].",
        service.item.ident.unraw(),
        method.ident().unraw()
    );
    let is_documented = docs.iter().any(|attribute| attribute.path().is_ident("doc"));
    let link = (!is_documented).then(|| quote!(#[doc = #link]));
    let errors = (!has_section(method, "Errors")).then(|| section("Errors", errors(method)));
    quote!(#(#docs)* #link #errors)
}

fn errors(method: &Method) -> &'static str {
    match (&method.returns, method.options.oneway) {
        (Returns::StreamResult(..), _) => {
            "The method's own error, or the fault that kept its stream from being opened."
        }
        (Returns::Stream(_), _) => "The fault that kept the stream from being opened.",
        (Returns::Result(..), _) => {
            "The method's own error, or the fault that kept its result from arriving."
        }
        (_, true) => "The fault that kept the call from being sent.",
        (_, false) => "The fault that kept the result from arriving.",
    }
}

fn cancel_safety(method: &Method) -> &'static str {
    if method.options.oneway {
        "Dropped before it is ready, the call may or may not have been sent."
    } else {
        "Dropping the future cancels the call at the server, at whatever await it is in."
    }
}

fn section(title: &str, text: &str) -> TokenStream {
    let (title, text) = (format!(" # {title}"), format!(" {text}"));
    quote!(#[doc = ""] #[doc = #title] #[doc = #text])
}

fn has_section(method: &Method, title: &str) -> bool {
    let docs = attributes::docs(&method.item.attrs);
    let title = format!("# {title}");
    docs.iter()
        .any(|doc| doc.meta.to_token_stream().to_string().contains(&title))
}
