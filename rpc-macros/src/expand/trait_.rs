//! The trait: its `async fn`s become functions that return a future that is `Send`.

use proc_macro2::TokenStream;
use quote::quote;
use syn::visit_mut::VisitMut;
use syn::{FnArg, Pat, ReturnType, TraitItem, TraitItemFn, Type, parse_quote};

use crate::attributes;
use crate::model::Service;
use crate::stream;

/// The trait as servers implement it.
pub(super) fn expand(service: &Service) -> TokenStream {
    let mut item = service.item.clone();
    item.colon_token.get_or_insert_default();
    item.supertraits.push(parse_quote!(::core::marker::Send));
    item.supertraits.push(parse_quote!(::core::marker::Sync));
    item.supertraits.push(parse_quote!('static));
    for item in &mut item.items {
        if let TraitItem::Fn(function) = item {
            expand_function(function);
        }
    }
    quote! {
        #[allow(dead_code)]
        #item
    }
}

fn expand_function(function: &mut TraitItemFn) {
    function
        .attrs
        .retain(|attribute| !attribute.path().is_ident("rpc"));
    forget_refused(function);
    if function.sig.asyncness.take().is_none() {
        return;
    }
    let mut output: Type = match &function.sig.output {
        ReturnType::Default => parse_quote!(()),
        ReturnType::Type(_, ty) => (**ty).clone(),
    };
    SendStreams.visit_type_mut(&mut output);
    function.sig.output = parse_quote! {
        -> impl ::core::future::Future<Output = #output> + ::core::marker::Send
    };
    if let Some(body) = &mut function.default {
        let content = &body;
        *body = parse_quote!({ async move #content });
    }
}

/// Adds `Send` to the streams that a method returns.
struct SendStreams;

impl VisitMut for SendStreams {
    fn visit_type_mut(&mut self, ty: &mut Type) {
        if stream::as_stream(ty).is_some()
            && let Type::ImplTrait(stream) = ty
        {
            stream.bounds.push(parse_quote!(::core::marker::Send));
            return;
        }
        syn::visit_mut::visit_type_mut(self, ty);
    }
}

/// Removes what was refused already, so that the compiler need not refuse it again.
fn forget_refused(function: &mut TraitItemFn) {
    function
        .attrs
        .retain(|attribute| !attributes::hides_rpc(attribute));
    function.sig.constness = None;
    if function.default.is_none() {
        (function.sig.inputs.iter_mut()).for_each(forget_pattern);
    }
}

fn forget_pattern(argument: &mut FnArg) {
    if let FnArg::Typed(argument) = argument
        && !matches!(&*argument.pat, Pat::Ident(_))
    {
        argument.pat = parse_quote!(_);
    }
}
