//! From tokens to a trait and its options.

use proc_macro2::TokenStream;
use quote::ToTokens;
use syn::{Item, ItemTrait};

use crate::attributes::ServiceOptions;
use crate::errors::Errors;

/// A trait as the user wrote it.
pub(crate) struct Source {
    pub(crate) options: ServiceOptions,
    pub(crate) item: ItemTrait,
}

/// Parses the attribute's arguments and the item under it. `None` if that is not a trait.
pub(crate) fn parse(arguments: TokenStream, item: TokenStream, errors: &mut Errors) -> Option<Source> {
    let options = ServiceOptions::parse(arguments, errors);
    match syn::parse2(item) {
        Ok(Item::Trait(item)) => return Some(Source { options, item }),
        Ok(other) => errors.at(
            keyword(&other),
            "`#[service]` goes on a trait: declare the methods in a `trait` and put it there",
        ),
        Err(error) => errors.push(error),
    }
    None
}

/// The token that tells what `item` is.
fn keyword(item: &Item) -> TokenStream {
    match item {
        Item::Enum(item) => item.enum_token.to_token_stream(),
        Item::Fn(item) => item.sig.fn_token.to_token_stream(),
        Item::Impl(item) => item.impl_token.to_token_stream(),
        Item::Mod(item) => item.mod_token.to_token_stream(),
        Item::Struct(item) => item.struct_token.to_token_stream(),
        other => other.to_token_stream(),
    }
}
