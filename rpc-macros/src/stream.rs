//! How streams are written in a trait: `impl Stream<Item = T>` as a result, `Streaming<T>` as an argument.

use proc_macro2::TokenStream;
use quote::quote;
use syn::{
    AngleBracketedGenericArguments, GenericArgument, PathArguments, Type, TypeImplTrait, TypeParamBound,
};

use crate::model::{last_segment, result_parameters, ungrouped};

/// What a stream carries.
#[derive(Clone)]
pub(crate) struct Items {
    pub(crate) item: Type,
    /// What it may end with.
    pub(crate) error: Option<Type>,
}

impl Items {
    /// Those of a result: `impl Stream<Item = T>`, where `Item = Result<T, E>` is a `T` that may fail.
    pub(crate) fn returned(ty: &Type) -> Option<Self> {
        let item = item_of(as_stream(ty)?)?;
        match result_parameters(&item).as_deref() {
            Some([item, error]) => Some(Self {
                item: item.clone(),
                error: Some(error.clone()),
            }),
            _ => Some(Self { item, error: None }),
        }
    }

    /// What who sends them has: `T`, or `Result<T, E>`.
    pub(crate) fn given(&self) -> TokenStream {
        let item = &self.item;
        match &self.error {
            Some(error) => quote!(::core::result::Result<#item, #error>),
            None => quote!(#item),
        }
    }

    /// Those of an argument: `Streaming<T>` or `Streaming<T, E>`.
    pub(crate) fn taken(ty: &Type) -> Option<Self> {
        let segment = last_segment(ty).filter(|segment| segment.ident == "Streaming")?;
        let PathArguments::AngleBracketed(list) = &segment.arguments else {
            return None;
        };
        match &types(list)[..] {
            [item] => Some(Self {
                item: item.clone(),
                error: None,
            }),
            [item, error] => Some(Self {
                item: item.clone(),
                error: Some(error.clone()),
            }),
            _ => None,
        }
    }
}

/// The `impl Stream<..>` that `ty` is.
pub(crate) fn as_stream(ty: &Type) -> Option<&TypeImplTrait> {
    match ungrouped(ty) {
        Type::ImplTrait(ty) if stream_arguments(ty).is_some() => Some(ty),
        _ => None,
    }
}

/// Whether `ty` is `Streaming`, with whatever parameters.
pub(crate) fn is_streaming(ty: &Type) -> bool {
    last_segment(ty).is_some_and(|segment| segment.ident == "Streaming")
}

/// What stands in the angle brackets of the bound `Stream<..>`.
fn stream_arguments(ty: &TypeImplTrait) -> Option<&PathArguments> {
    ty.bounds.iter().find_map(|bound| match bound {
        TypeParamBound::Trait(bound) => {
            let last = bound.path.segments.last()?;
            (last.ident == "Stream").then_some(&last.arguments)
        }
        _ => None,
    })
}

fn item_of(ty: &TypeImplTrait) -> Option<Type> {
    let PathArguments::AngleBracketed(list) = stream_arguments(ty)? else {
        return None;
    };
    list.args.iter().find_map(|argument| match argument {
        GenericArgument::AssocType(item) if item.ident == "Item" => Some(item.ty.clone()),
        _ => None,
    })
}

fn types(list: &AngleBracketedGenericArguments) -> Vec<Type> {
    let types = list.args.iter().filter_map(|argument| match argument {
        GenericArgument::Type(ty) => Some(ty.clone()),
        _ => None,
    });
    types.collect()
}
