//! The client: one async method for each of the trait's.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens as _, quote, quote_spanned};
use syn::Type;

use super::generics::Parameters;
use super::{docs, methods};
use crate::attributes;
use crate::model::{Argument, Method, Returns, Service};
use crate::stream::Items;

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
    let builder = builder(service, &own, &parameters);
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

        #builder

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
                let channel = #facade::__private::connect(target).await?;
                ::core::result::Result::Ok(<Self as #facade::Client>::over(channel))
            }

            /// Waits until the connection has ended, and says why.
            ///
            /// # Cancel safety
            /// Dropping the future changes nothing.
            #vis async fn closed(&self) -> #facade::__private::Arc<#facade::ConnectionError> {
                self.caller().closed().await
            }
        }

        #(#inherited)*
        impl<#(#bounded),*> #facade::Client for #client<#(#arguments),*> #clause {
            fn over(channel: #facade::Channel) -> Self {
                let codec = channel.codec();
                Self::new(channel).with_codec(codec)
            }
        }
    }
}

/// The function that begins a client with more to say than where it connects.
fn builder(service: &Service, own: &Ident, parameters: &Parameters) -> TokenStream {
    let facade = &service.facade;
    let inherited = attributes::inherited(&service.item.attrs);
    let vis = &service.item.vis;
    let client = service.derived("Client");
    let table = methods::table(service);
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
            /// Begins a client of who serves at `target`: with layers, or one that connects again.
            #vis fn builder(target: impl ::core::convert::Into<#facade::Connect>) -> #facade::ClientBuilder<Self> {
                #facade::__private::builder(target)
            }
        }

        #(#inherited)*
        impl<#(#bounded),*> #facade::__private::ClientOver for #client<#(#arguments),*> #clause {
            type Client<#own: #facade::__private::Caller> = #client<#(#arguments,)* #own>;

            fn over<#own: #facade::__private::Caller>(
                caller: #own,
                name: ::core::option::Option<&str>,
                codec: #facade::Codec,
            ) -> #client<#(#arguments,)* #own> {
                <#client<#(#arguments,)* #own>>::named(caller, name.unwrap_or(#table::NAME)).with_codec(codec)
            }
        }
    }
}

fn constructors(service: &Service, own: &Ident) -> TokenStream {
    let facade = &service.facade;
    let vis = &service.item.vis;
    let table = methods::table(service);
    quote! {
        /// Calls through `caller`, a channel or layers over one, in bincode.
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

        /// What it calls through.
        #[must_use]
        #vis fn caller(&self) -> &#own {
            self.stub.caller()
        }

        /// The same in another codec; it must be the connection's, which its channel knows.
        #[must_use]
        #vis fn with_codec(self, codec: #facade::Codec) -> Self {
            Self {
                stub: self.stub.with_codec(codec),
                marker: ::core::marker::PhantomData,
            }
        }

        /// The same with metadata beside the arguments of each call, in place of what it had.
        #[must_use]
        #vis fn with_metadata(self, metadata: #facade::Metadata) -> Self {
            Self {
                stub: self.stub.with_metadata(metadata),
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
    let call = stub_call(&service.facade, method);
    // Located at the method, where the compiler then complains of a type that cannot cross.
    let place = Span::call_site().located_at(method.ident().span());
    let upload = upload(method);
    let body = quote_spanned!(place=> self.stub.#call(&#table[#index], #arguments, #upload).await);
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
fn stub_call(facade: &TokenStream, method: &Method) -> TokenStream {
    let arguments = methods::encoded_type(method);
    match &method.returns {
        _ if method.options.oneway => quote!(oneway::<#arguments>),
        Returns::Result(ok, error) => quote!(call_fallible::<#arguments, #ok, #error>),
        Returns::Stream(items) => {
            let (item, item_error) = (&items.item, methods::item_error(facade, items));
            quote!(stream::<#arguments, #item, #item_error>)
        }
        Returns::StreamResult(items, error) => {
            let (item, item_error) = (&items.item, methods::item_error(facade, items));
            quote!(stream_fallible::<#arguments, #item, #item_error, #error>)
        }
        Returns::Nothing | Returns::Value(_) => {
            let value = methods::value_type(method);
            quote!(call::<#arguments, #value>)
        }
    }
}

/// The items that go with the request.
fn upload(method: &Method) -> TokenStream {
    let Some((argument, items)) = method.upload() else {
        return quote!(::core::option::Option::None);
    };
    let (ident, item) = (&argument.ident, &items.item);
    match &items.error {
        Some(error) => quote!(self.stub.upload_results::<#item, #error>(#ident)),
        None => quote!(self.stub.upload::<#item>(#ident)),
    }
}

/// What clients get of a stream.
fn streaming(facade: &TokenStream, items: &Items) -> TokenStream {
    let (item, error) = (&items.item, methods::item_error(facade, items));
    quote!(#facade::Streaming<#item, #error>)
}

/// What clients give for an argument.
fn argument_type(facade: &TokenStream, argument: &Argument) -> TokenStream {
    let Some(items) = &argument.items else {
        return argument.ty.to_token_stream();
    };
    let item = items.given();
    quote!(impl #facade::__private::Stream<Item = #item> + ::core::marker::Send + 'static)
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
fn head(service: &Service, method: &Method) -> TokenStream {
    let facade = &service.facade;
    head_with(
        service,
        method,
        |items| streaming(facade, items),
        |argument| argument_type(facade, argument),
    )
}

/// The same, with streams and arguments as they are for such a client.
pub(super) fn head_with(
    service: &Service,
    method: &Method,
    streaming: impl Fn(&Items) -> TokenStream,
    argument_type: impl Fn(&Argument) -> TokenStream,
) -> TokenStream {
    let facade = &service.facade;
    let ident = method.ident();
    let arguments = method.arguments.iter().map(|argument| {
        let (ident, ty) = (&argument.ident, argument_type(argument));
        quote!(#ident: #ty)
    });
    let fault = quote!(#facade::Fault);
    let call_error = |error: &Type| quote!(#facade::CallError<#error>);
    let (value, error) = match &method.returns {
        Returns::Result(ok, error) => (quote!(#ok), call_error(error)),
        Returns::Stream(items) => (streaming(items), fault),
        Returns::StreamResult(items, error) => (streaming(items), call_error(error)),
        Returns::Nothing | Returns::Value(_) => (methods::value_type(method), fault),
    };
    quote!(fn #ident(&self, #(#arguments),*) -> ::core::result::Result<#value, #error>)
}
