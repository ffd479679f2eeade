//! The client without async, which exists if the crate has the feature `blocking`.

use proc_macro2::{Ident, TokenStream};
use quote::{ToTokens as _, quote};

use super::generics::Parameters;
use super::{client, docs, methods};
use crate::attributes;
use crate::model::{Argument, Method, Returns, Service};
use crate::stream::Items;

/// `ThesaurusBlockingClient<..>`, or nothing, as the crate's `__blocking!` decides.
pub(super) fn expand(service: &Service) -> TokenStream {
    let facade = &service.facade;
    let vis = &service.item.vis;
    let inherited = attributes::inherited(&service.item.attrs);
    let blocking = service.derived("BlockingClient");
    let client = service.derived("Client");
    let Parameters {
        declared,
        bounded,
        unbounded,
        arguments,
        clause,
        ..
    } = &Parameters::of(&service.item.generics);
    let own = service.fresh("S");
    let connect = connect(service, &client);
    let connect_with = connect_with(service, quote!(#client<#(#arguments,)* #own>));
    let caller = caller(service, &own);
    let methods = service.methods.iter().map(|method| call(service, method));
    let name = blocking.to_string();
    let doc = format!(
        " Calls a [`{}`] in another process, without async.",
        service.item.ident
    );
    quote! {
        #facade::__blocking! {
            #(#inherited)*
            #[doc = #doc]
            #[allow(dead_code)]
            #vis struct #blocking<#(#declared,)* #own = #facade::Channel> {
                client: #facade::__private::BlockingClient<#client<#(#arguments,)* #own>>,
            }

            #(#inherited)*
            #[allow(dead_code)]
            impl<#(#bounded),*> #blocking<#(#arguments),*> #clause {
                #connect
            }

            #(#inherited)*
            #[allow(dead_code)]
            impl<#(#bounded,)* #own: #facade::__private::Caller> #blocking<#(#arguments,)* #own> #clause {
                #connect_with
                #caller
                #(#methods)*
            }

            #(#inherited)*
            impl<#(#unbounded,)* #own: ::core::clone::Clone> ::core::clone::Clone for #blocking<#(#arguments,)* #own> {
                fn clone(&self) -> Self {
                    Self { client: ::core::clone::Clone::clone(&self.client) }
                }
            }

            #(#inherited)*
            impl<#(#unbounded,)* #own> ::core::fmt::Debug for #blocking<#(#arguments,)* #own> {
                fn fmt(&self, f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
                    f.debug_struct(#name).finish_non_exhaustive()
                }
            }
        }
    }
}

fn connect(service: &Service, client: &Ident) -> TokenStream {
    let facade = &service.facade;
    let vis = &service.item.vis;
    quote! {
        /// Connects to who serves at `target`.
        ///
        /// # Errors
        /// If nobody serves there, or not this service to this user.
        #vis fn connect(
            target: impl ::core::convert::Into<#facade::Connect>,
        ) -> ::core::result::Result<Self, #facade::ConnectError> {
            let target: #facade::Connect = target.into();
            let client = #facade::__private::BlockingClient::connect(#client::connect(target))?;
            ::core::result::Result::Ok(Self { client })
        }
    }
}

/// The function that makes any client one without async: of layers, or one that connects again.
fn connect_with(service: &Service, client: TokenStream) -> TokenStream {
    let facade = &service.facade;
    let vis = &service.item.vis;
    let error = service.fresh("E");
    quote! {
        /// Has a thread of its own make a client, as its builder does, and drive it.
        ///
        /// # Errors
        /// As `connecting` does.
        #vis fn connect_with<#error: ::core::marker::Send + 'static>(
            connecting: impl ::core::future::Future<Output = ::core::result::Result<#client, #error>>
                + ::core::marker::Send
                + 'static,
        ) -> ::core::result::Result<Self, #error> {
            let client = #facade::__private::BlockingClient::connect(connecting)?;
            ::core::result::Result::Ok(Self { client })
        }
    }
}

fn caller(service: &Service, own: &Ident) -> TokenStream {
    let facade = &service.facade;
    let vis = &service.item.vis;
    quote! {
        /// What it calls through, and by which its connection ends in good order: `caller().shutdown(limit)`.
        #[must_use]
        #vis fn caller(&self) -> #facade::__private::BlockingCaller<'_, #own> {
            self.client.caller(|client| client.caller())
        }
    }
}

fn call(service: &Service, method: &Method) -> TokenStream {
    let inherited = attributes::inherited(&method.item.attrs);
    let docs = docs::of_blocking(service, method);
    let vis = &service.item.vis;
    let head = head(service, method);
    let ident = method.ident();
    let names = client::names(method);
    // A name that no argument has.
    let client = service.fresh("client");
    let upload = method.upload().map(|(argument, _)| {
        let ident = &argument.ident;
        let facade = &service.facade;
        quote!(let #ident = #facade::__private::BlockingClient::<()>::stream_of(#ident);)
    });
    let run = quote!(self.client.run(move |#client| async move { #client.#ident(#(#names),*).await }));
    let run = match &method.returns {
        Returns::Stream(_) | Returns::StreamResult(..) => {
            quote!(#run.map(|stream| self.client.iterate(stream)))
        }
        _ => run,
    };
    quote! {
        #(#inherited)*
        #docs
        #[allow(clippy::too_many_arguments, clippy::used_underscore_binding)]
        #vis #head {
            #upload
            #run
        }
    }
}

/// A blocking client's method from `fn` up to its body: iterators in place of streams.
fn head(service: &Service, method: &Method) -> TokenStream {
    let facade = &service.facade;
    client::head_with(service, method, |items| streaming(facade, items), iterator)
}

fn streaming(facade: &TokenStream, items: &Items) -> TokenStream {
    let (item, error) = (&items.item, methods::item_error(facade, items));
    quote!(#facade::__private::BlockingStreaming<#item, #error>)
}

fn iterator(argument: &Argument) -> TokenStream {
    match &argument.items {
        None => argument.ty.to_token_stream(),
        Some(items) => {
            let item = items.given();
            quote!(impl ::core::iter::IntoIterator<Item = #item> + ::core::marker::Send + 'static)
        }
    }
}
