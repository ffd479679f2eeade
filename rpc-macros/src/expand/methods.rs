//! The table of a trait's methods, and what server and client both say of one.

use std::time::Duration;

use proc_macro2::{Delimiter, Group, Ident, TokenStream};
use quote::{ToTokens, format_ident, quote};
use syn::ext::IdentExt as _;

use super::generics::Parameters;
use crate::attributes;
use crate::model::{Argument, Method, Returns, Service};
use crate::signature;
use crate::stream::Items;

/// The table. An enum numbers the methods, so that a `#[cfg]` on one moves those after it up.
pub(super) fn expand(service: &Service) -> TokenStream {
    let inherited = attributes::inherited(&service.item.attrs);
    let ident = table(service);
    let name = service.name();
    let variants = service.methods.iter().enumerate().map(|(index, method)| {
        let cfgs = attributes::cfgs(&method.item.attrs);
        let variant = variant(index);
        quote!(#(#cfgs)* #variant,)
    });
    let entries = service
        .methods
        .iter()
        .map(|method| entry(service, &ident, method));
    let all = all_functions(service, &quote!([#(#entries),*]));
    quote! {
        #(#inherited)*
        #[doc(hidden)]
        #[allow(dead_code)]
        enum #ident { #(#variants)* }

        #(#inherited)*
        #[allow(dead_code)]
        impl #ident {
            const NAME: &'static str = #name;

            #all
        }
    }
}

/// What gives the table: a static, or for a trait with parameters one table for each choice of them, since methods that
/// take other types have other shapes.
fn all_functions(service: &Service, entries: &TokenStream) -> TokenStream {
    let facade = &service.facade;
    if service.item.generics.params.is_empty() {
        let each = service.methods.iter().map(|method| {
            let cfgs = attributes::cfgs(&method.item.attrs);
            quote!(#(#cfgs)* "")
        });
        return quote! {
            fn all() -> &'static [#facade::__private::Method] {
                // Counted by the compiler, which knows what a `#[cfg]` leaves.
                const COUNT: usize = <[&::core::primitive::str]>::len(&[#(#each),*]);
                static ALL: [#facade::__private::Method; COUNT] = #entries;
                &ALL
            }
        };
    }
    let Parameters {
        bounded,
        arguments,
        clause,
        ..
    } = Parameters::of(&service.item.generics);
    quote! {
        fn all<#(#bounded),*>() -> &'static [#facade::__private::Method] #clause {
            #facade::__private::table(Self::make::<#(#arguments),*>)
        }

        fn make<#(#bounded),*>() -> ::std::boxed::Box<[#facade::__private::Method]> #clause {
            ::std::boxed::Box::new(#entries)
        }
    }
}

/// The table, where the trait's parameters are known.
pub(super) fn all(service: &Service) -> TokenStream {
    let table = table(service);
    let Parameters { arguments, .. } = Parameters::of(&service.item.generics);
    match arguments.is_empty() {
        true => quote!(#table::all()),
        false => quote!(#table::all::<#(#arguments),*>()),
    }
}

/// The type that holds the table.
pub(super) fn table(service: &Service) -> Ident {
    format_ident!("__{}", service.derived("Methods"))
}

/// The index of a method in the table.
pub(super) fn index(service: &Service, index: usize) -> TokenStream {
    let table = table(service);
    let variant = variant(index);
    quote!(#table::#variant as usize)
}

/// The type under which a method's arguments are encoded: one as itself, none as `()`, several as a tuple.
pub(super) fn encoded_type(method: &Method) -> TokenStream {
    together(method, |argument| argument.ty.to_token_stream())
}

/// The method's arguments put together as they are encoded.
pub(super) fn encoded_value(method: &Method, names: &[Ident]) -> TokenStream {
    let named = method.arguments.iter().zip(names);
    let mut names = named.filter(|(argument, _)| argument.items.is_none());
    together(method, |_| names.next().map(|(_, name)| name).to_token_stream())
}

/// What stands for the error of items that cannot fail.
pub(super) fn item_error(facade: &TokenStream, items: &Items) -> TokenStream {
    match &items.error {
        Some(error) => error.to_token_stream(),
        None => quote!(#facade::NoError),
    }
}

/// The type of what the method returns, unless it is a `Result`.
pub(super) fn value_type(method: &Method) -> TokenStream {
    match &method.returns {
        Returns::Nothing | Returns::Result(..) | Returns::Stream(_) | Returns::StreamResult(..) => quote!(()),
        Returns::Value(ty) => ty.to_token_stream(),
    }
}

fn together(method: &Method, one: impl FnMut(&Argument) -> TokenStream) -> TokenStream {
    let parts: Vec<TokenStream> = method.values().map(one).collect();
    if let [part] = &parts[..] {
        return part.clone();
    }
    // The parentheses point at the user's, where the compiler then complains of a type that cannot be encoded.
    let mut tuple = Group::new(Delimiter::Parenthesis, quote!(#(#parts),*));
    tuple.set_span(method.item.sig.paren_token.span.join());
    tuple.to_token_stream()
}

fn variant(index: usize) -> Ident {
    format_ident!("M{index}")
}

fn entry(service: &Service, table: &Ident, method: &Method) -> TokenStream {
    let facade = &service.facade;
    let cfgs = attributes::cfgs(&method.item.attrs);
    let name = method.name();
    let signature = signature::of(method);
    let options = &method.options;
    let oneway = options.oneway.then(|| quote!(.oneway()));
    let idempotent = options.idempotent.then(|| quote!(.idempotent()));
    let spawn = options.spawn.then(|| quote!(.spawn()));
    let finish = options.finish.then(|| quote!(.finish()));
    let ordered = (options.ordered || service.options.ordered).then(|| quote!(.ordered()));
    let timeout = options.timeout.map(timeout);
    let max_body = options.max_body.map(|bytes| quote!(.max_body(#bytes)));
    let buffer = options.buffer.map(|kib| quote!(.buffer(#kib)));
    let shape = shape(facade, method);
    quote! {
        #(#cfgs)*
        #facade::__private::Method::new(#table::NAME, #name, #signature)
            .with_shape(|| #shape)
            #oneway #idempotent #spawn #finish #ordered #timeout #max_body #buffer
    }
}

/// What tells the shapes of its arguments and its result, each by its type.
fn shape(facade: &TokenStream, method: &Method) -> TokenStream {
    let arguments = method.arguments.iter().map(argument_shape);
    let returns = match &method.returns {
        Returns::Nothing => quote!(),
        Returns::Value(ty) => quote!(.returns::<#ty>()),
        Returns::Result(ok, error) => quote!(.returns_result::<#ok, #error>()),
        Returns::Stream(items) => stream_shape(items),
        Returns::StreamResult(items, error) => {
            let stream = stream_shape(items);
            quote!(#stream.or_error::<#error>())
        }
    };
    quote!(#facade::__private::MethodShape::new() #(#arguments)* #returns)
}

fn argument_shape(argument: &Argument) -> TokenStream {
    let (ty, name) = (&argument.ty, argument.ident.unraw().to_string());
    let Some(Items { item, error }) = &argument.items else {
        return quote!(.argument::<#ty>(#name));
    };
    match error {
        Some(error) => quote!(.argument_stream_result::<#item, #error>(#name)),
        None => quote!(.argument_stream::<#item>(#name)),
    }
}

fn stream_shape(Items { item, error }: &Items) -> TokenStream {
    match error {
        Some(error) => quote!(.returns_stream_result::<#item, #error>()),
        None => quote!(.returns_stream::<#item>()),
    }
}

fn timeout(timeout: Duration) -> TokenStream {
    let (seconds, nanoseconds) = (timeout.as_secs(), timeout.subsec_nanos());
    quote!(.timeout(::core::time::Duration::new(#seconds, #nanoseconds)))
}
