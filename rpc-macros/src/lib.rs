//! The `#[service]` attribute of pipe-rpc.

use proc_macro::TokenStream;

/// Makes a server and clients of a trait.
#[proc_macro_attribute]
pub fn service(_arguments: TokenStream, item: TokenStream) -> TokenStream {
    item
}
