//! A trait's parameters in the places where what is derived has them.

use proc_macro2::TokenStream;
use quote::{ToTokens, quote};
use syn::{GenericParam, Generics};

/// The parameters of a trait, written for each place.
pub(super) struct Parameters {
    /// Of a struct: without bounds, with defaults.
    pub(super) declared: Vec<TokenStream>,
    /// Of an `impl`, with bounds.
    pub(super) bounded: Vec<TokenStream>,
    /// Of an `impl`, without bounds.
    pub(super) unbounded: Vec<TokenStream>,
    /// As arguments: `K, V, N`.
    pub(super) arguments: Vec<TokenStream>,
    /// The where clause that goes with `bounded`.
    pub(super) clause: TokenStream,
    /// What stands for the types in a struct that has no value of them.
    pub(super) marker: TokenStream,
}

impl Parameters {
    /// The parameters in `generics`, which are types and constants.
    pub(super) fn of(generics: &Generics) -> Self {
        let each = |write: fn(&GenericParam) -> TokenStream| generics.params.iter().map(write).collect();
        let types = generics.type_params().map(|parameter| &parameter.ident);
        Self {
            declared: each(declared),
            bounded: each(bounded),
            unbounded: each(unbounded),
            arguments: each(argument),
            clause: generics.where_clause.to_token_stream(),
            marker: quote!(::core::marker::PhantomData<fn() -> (#(#types,)*)>),
        }
    }
}

fn declared(parameter: &GenericParam) -> TokenStream {
    let GenericParam::Type(parameter) = parameter else {
        return parameter.to_token_stream();
    };
    let ident = &parameter.ident;
    let default = parameter.default.as_ref().map(|(token, ty)| quote!(#token #ty));
    quote!(#ident #default)
}

fn bounded(parameter: &GenericParam) -> TokenStream {
    let mut parameter = parameter.clone();
    match &mut parameter {
        GenericParam::Type(parameter) => parameter.default = None,
        GenericParam::Const(parameter) => parameter.default = None,
        GenericParam::Lifetime(_) => {}
    }
    parameter.to_token_stream()
}

fn unbounded(parameter: &GenericParam) -> TokenStream {
    match parameter {
        GenericParam::Type(parameter) => parameter.ident.to_token_stream(),
        GenericParam::Const(_) | GenericParam::Lifetime(_) => bounded(parameter),
    }
}

fn argument(parameter: &GenericParam) -> TokenStream {
    match parameter {
        GenericParam::Type(parameter) => parameter.ident.to_token_stream(),
        GenericParam::Const(parameter) => parameter.ident.to_token_stream(),
        GenericParam::Lifetime(parameter) => parameter.lifetime.to_token_stream(),
    }
}
