//! Under which path the user's crate knows pipe-rpc.

use proc_macro_crate::{FoundCrate, crate_name};
use proc_macro2::{Span, TokenStream};
use quote::{ToTokens, quote};
use syn::{Ident, Path};

/// The path of the crate: the one given by the user, the name in `Cargo.toml`, or else its own name.
pub(crate) fn path(given: Option<&Path>) -> TokenStream {
    if let Some(path) = given {
        return path.to_token_stream();
    }
    match crate_name("pipe-rpc") {
        Ok(FoundCrate::Name(name)) => absolute(&name),
        // The crate itself is `extern crate self as pipe_rpc`, and its tests and examples depend on it by that name.
        Ok(FoundCrate::Itself) | Err(_) => absolute("pipe_rpc"),
    }
}

fn absolute(name: &str) -> TokenStream {
    let name = Ident::new(name, Span::call_site());
    quote!(::#name)
}
