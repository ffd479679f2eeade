//! The client: one async method for each of the trait's.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens as _, quote, quote_spanned};

use super::generics::Parameters;
use super::{docs, methods};
use crate::attributes;
use crate::model::{Method, Returns, Service};

/// `ThesaurusClient<.., S = Channel>`, with the trait's parameters before its own, since that has a default.
pub(super) fn expand(service: &Service) -> TokenStream {
    let facade = &service.facade;
    let inherited = attributes::inherited(&service.item.attrs);
    let vis = &service.item.vis;
    let client = service.derived("Client");
    let own = service.fresh("S");
    let parameters = Parameters::of(&service.item.generics);
    let Parameters {
        declared,
        bounded,
        arguments,
        clause,
        marker,
        ..
    } = &parameters;
    let doc = format!(" Calls a [`{}`] in another process.", service.item.ident);
    let connect = connect(service, &parameters);
    let constructors = constructors(service, &own);
    let methods = (service.methods.iter().enumerate()).map(|(index, method)| call(service, index, method));
    let clone_and_debug = clone_and_debug(service, &own, &parameters);
    quote! {
        #(#inherited)*
        #[doc = #doc]
        #[allow(dead_code)]
        #vis struct #client<#(#declared,)* #own = #facade::Channel> {
            stub: #facade::__private::Stub<#own>,
            marker: #marker,
        }

        #connect

        #(#inherited)*
        #[allow(dead_code)]
        impl<#(#bounded,)* #own: #facade::__private::Caller> #client<#(#arguments,)* #own> #clause {
            #constructors
            #(#methods)*
        }

        #clone_and_debug
    }
}

fn connect(service: &Service, parameters: &Parameters) -> TokenStream {
    let facade = &service.facade;
    let inherited = attributes::inherited(&service.item.attrs);
    let vis = &service.item.vis;
    let client = service.derived("Client");
    let Parameters {
        bounded,
        arguments,
        clause,
        ..
    } = parameters;
    quote! {
        #(#inherited)*
        #[allow(dead_code)]
        impl<#(#bounded),*> #client<#(#arguments),*> #clause {
            /// Connects to who serves at `target`.
            ///
            /// # Errors
            /// If nobody serves there, or not this service to this user.
            ///
            /// # Cancel safety
            /// Dropping the future abandons the attempt and leaves nothing behind.
            #vis async fn connect(
                target: impl ::core::convert::Into<#facade::Connect>,
            ) -> ::core::result::Result<Self, #facade::ConnectError> {
                #facade::__private::connect(target).await.map(Self::new)
            }
        }
    }
}

fn constructors(service: &Service, own: &Ident) -> TokenStream {
    let facade = &service.facade;
    let vis = &service.item.vis;
    let table = methods::table(service);
    quote! {
        /// Calls through `caller`: a channel, or layers over one.
        #[must_use]
        #vis fn new(caller: #own) -> Self {
            Self::named(caller, #table::NAME)
        }

        /// Calls the service that is mounted under another `name`.
        #[must_use]
        #vis fn named(caller: #own, name: &str) -> Self {
            Self {
                stub: #facade::__private::Stub::new(caller, name),
                marker: ::core::marker::PhantomData,
            }
        }

        /// The same with a time limit for each call, in place of the methods' own.
        #[must_use]
        #vis fn with_timeout(self, timeout: ::core::time::Duration) -> Self {
            Self {
                stub: self.stub.with_timeout(timeout),
                marker: ::core::marker::PhantomData,
            }
        }
    }
}

/// Both without the bounds that a derive would add.
fn clone_and_debug(service: &Service, own: &Ident, parameters: &Parameters) -> TokenStream {
    let inherited = attributes::inherited(&service.item.attrs);
    let client = service.derived("Client");
    let name = client.to_string();
    let Parameters {
        unbounded, arguments, ..
    } = parameters;
    quote! {
        #(#inherited)*
        impl<#(#unbounded,)* #own: ::core::clone::Clone> ::core::clone::Clone for #client<#(#arguments,)* #own> {
            fn clone(&self) -> Self {
                Self {
                    stub: ::core::clone::Clone::clone(&self.stub),
                    marker: ::core::marker::PhantomData,
                }
            }
        }

        #(#inherited)*
        impl<#(#unbounded,)* #own> ::core::fmt::Debug for #client<#(#arguments,)* #own> {
            fn fmt(&self, f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
                f.debug_struct(#name).finish_non_exhaustive()
            }
        }
    }
}

fn call(service: &Service, index: usize, method: &Method) -> TokenStream {
    let inherited = attributes::inherited(&method.item.attrs);
    let docs = docs::of_async(service, method);
    let vis = &service.item.vis;
    let head = head(service, method);
    let table = methods::all(service);
    let index = methods::index(service, index);
    let names = names(method);
    let arguments = methods::encoded_value(method, &names);
    let call = stub_call(method);
    // Located at the method, where the compiler then complains of a type that cannot cross.
    let place = Span::call_site().located_at(method.ident().span());
    let body = quote_spanned!(place=> self.stub.#call(&#table[#index], #arguments).await);
    quote! {
        #(#inherited)*
        #docs
        #[allow(clippy::too_many_arguments, clippy::used_underscore_binding)]
        #vis async #head {
            #body
        }
    }
}

/// The function of the stub that makes the call, with its types.
fn stub_call(method: &Method) -> TokenStream {
    let arguments = methods::encoded_type(method);
    match &method.returns {
        _ if method.options.oneway => quote!(oneway::<#arguments>),
        Returns::Result(ok, error) => quote!(call_fallible::<#arguments, #ok, #error>),
        Returns::Nothing | Returns::Value(_) => {
            let value = methods::value_type(method);
            quote!(call::<#arguments, #value>)
        }
    }
}

/// The names of a method's arguments.
pub(super) fn names(method: &Method) -> Vec<Ident> {
    method
        .arguments
        .iter()
        .map(|argument| argument.ident.clone())
        .collect()
}

/// A client's method from `fn` up to its body.
pub(super) fn head(service: &Service, method: &Method) -> TokenStream {
    let facade = &service.facade;
    let ident = method.ident();
    let arguments = method.arguments.iter().map(|argument| {
        let (ident, ty) = (&argument.ident, argument.ty.to_token_stream());
        quote!(#ident: #ty)
    });
    let (value, error) = match &method.returns {
        Returns::Result(ok, error) => (quote!(#ok), quote!(#facade::CallError<#error>)),
        Returns::Nothing | Returns::Value(_) => (methods::value_type(method), quote!(#facade::Fault)),
    };
    quote!(fn #ident(&self, #(#arguments),*) -> ::core::result::Result<#value, #error>)
}
