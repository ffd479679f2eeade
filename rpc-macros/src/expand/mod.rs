//! What becomes of a trait: the trait itself, the table of its methods, a server and two clients.

mod blocking;
mod client;
mod docs;
mod generics;
mod methods;
mod server;
mod trait_;

use proc_macro2::TokenStream;
use quote::quote;

use crate::check;
use crate::errors::Errors;
use crate::model::Service;
use crate::parse;

/// Expands `#[service(arguments)] item`. With faults, what is sound is expanded beside them.
pub(crate) fn service(arguments: TokenStream, item: TokenStream) -> TokenStream {
    let mut errors = Errors::default();
    let Some(source) = parse::parse(arguments, item.clone(), &mut errors) else {
        return quote!(#errors #item);
    };
    let mut service = Service::of(source, &mut errors);
    let is_sound = check::check(&mut service, &mut errors);
    let the_trait = trait_::expand(&service);
    let derived = is_sound.then(|| derived(&service));
    quote!(#errors #the_trait #derived)
}

fn derived(service: &Service) -> TokenStream {
    let methods = methods::expand(service);
    let server = server::expand(service);
    let client = client::expand(service);
    let blocking = blocking::expand(service);
    quote!(#methods #server #client #blocking)
}
