//! A trait's parameters in the places where what is derived has them.

use proc_macro2::TokenStream;
use quote::{ToTokens, quote};
use syn::{GenericParam, Generics};

/// The parameters of a struct: without bounds, with defaults.
pub(super) fn declared(generics: &Generics) -> Vec<TokenStream> {
    let declared = generics.params.iter().map(|parameter| match parameter {
        GenericParam::Type(parameter) => {
            let ident = &parameter.ident;
            let default = parameter.default.as_ref().map(|(token, ty)| quote!(#token #ty));
            quote!(#ident #default)
        }
        other => other.to_token_stream(),
    });
    declared.collect()
}

/// The parameters of an `impl`: with bounds, without defaults.
pub(super) fn bounded(generics: &Generics) -> Vec<TokenStream> {
    let mut generics = generics.clone();
    for parameter in &mut generics.params {
        match parameter {
            GenericParam::Type(parameter) => parameter.default = None,
            GenericParam::Const(parameter) => parameter.default = None,
            GenericParam::Lifetime(_) => {}
        }
    }
    generics.params.iter().map(ToTokens::to_token_stream).collect()
}

/// The parameters by name alone, without bounds but as an `impl` declares them.
pub(super) fn unbounded(generics: &Generics) -> Vec<TokenStream> {
    let unbounded = generics.params.iter().map(|parameter| match parameter {
        GenericParam::Const(parameter) => {
            let (ident, ty) = (&parameter.ident, &parameter.ty);
            quote!(const #ident: #ty)
        }
        GenericParam::Type(parameter) => parameter.ident.to_token_stream(),
        GenericParam::Lifetime(parameter) => parameter.to_token_stream(),
    });
    unbounded.collect()
}

/// The parameters as arguments: `K, V, N`.
pub(super) fn arguments(generics: &Generics) -> Vec<TokenStream> {
    let arguments = generics.params.iter().map(|parameter| match parameter {
        GenericParam::Const(parameter) => parameter.ident.to_token_stream(),
        GenericParam::Type(parameter) => parameter.ident.to_token_stream(),
        GenericParam::Lifetime(parameter) => parameter.lifetime.to_token_stream(),
    });
    arguments.collect()
}

/// What stands for the type parameters in a struct that has no value of them.
pub(super) fn marker(generics: &Generics) -> TokenStream {
    let types = generics.type_params().map(|parameter| &parameter.ident);
    quote!(::core::marker::PhantomData<fn() -> (#(#types,)*)>)
}
