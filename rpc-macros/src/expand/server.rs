//! The server: what mounts an implementation of the trait.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{format_ident, quote};

use super::generics::Parameters;
use super::methods;
use crate::attributes;
use crate::model::{Method, Returns, Service};

/// `ThesaurusServer<T, ..>`, with the trait's parameters after its own.
pub(super) fn expand(service: &Service) -> TokenStream {
    let inherited = attributes::inherited(&service.item.attrs);
    let vis = &service.item.vis;
    let server = service.derived("Server");
    let own = service.fresh("T");
    let parameters = Parameters::of(&service.item.generics);
    let Parameters { declared, marker, .. } = &parameters;
    let arc = arc(service);
    let doc = format!(" Serves a [`{}`]: what a server mounts.", service.item.ident);
    let constructors = constructors(service, &own, &parameters);
    let clone_and_debug = clone_and_debug(service, &own, &parameters);
    let mount = mount(service, &own, &parameters);
    let schema = schema(service, &parameters);
    quote! {
        #(#inherited)*
        #[doc = #doc]
        #[allow(dead_code)]
        #vis struct #server<#own, #(#declared),*> {
            service: #arc<#own>,
            marker: #marker,
        }

        #constructors
        #clone_and_debug
        #schema
        #mount
    }
}

/// For `()` in place of an implementation, so that `ThesaurusServer::schema()` says enough: no other has it.
fn schema(service: &Service, parameters: &Parameters) -> TokenStream {
    let facade = &service.facade;
    let inherited = attributes::inherited(&service.item.attrs);
    let vis = &service.item.vis;
    let server = service.derived("Server");
    let table = methods::table(service);
    let all = methods::all(service);
    let Parameters {
        bounded,
        arguments,
        clause,
        ..
    } = parameters;
    quote! {
        #(#inherited)*
        #[allow(dead_code)]
        impl<#(#bounded),*> #server<(), #(#arguments),*> #clause {
            /// What the service's methods take and return, with the fields of all types in it.
            #[must_use]
            #vis fn schema() -> #facade::schema::Schema {
                #facade::schema::Schema::of(#table::NAME, #all)
            }
        }
    }
}

fn constructors(service: &Service, own: &Ident, parameters: &Parameters) -> TokenStream {
    let inherited = attributes::inherited(&service.item.attrs);
    let (vis, the_trait) = (&service.item.vis, &service.item.ident);
    let server = service.derived("Server");
    let arc = arc(service);
    let Parameters {
        bounded,
        arguments,
        clause,
        ..
    } = parameters;
    quote! {
        #(#inherited)*
        #[allow(dead_code)]
        impl<#own: #the_trait<#(#arguments),*>, #(#bounded),*> #server<#own, #(#arguments),*> #clause {
            /// Serves `service`.
            #[must_use]
            #vis fn new(service: #own) -> Self {
                Self::from_arc(#arc::new(service))
            }

            /// Serves `service`, which others may use too.
            #[must_use]
            #vis fn from_arc(service: #arc<#own>) -> Self {
                Self { service, marker: ::core::marker::PhantomData }
            }
        }
    }
}

/// Both without bounds, which a derive would add.
fn clone_and_debug(service: &Service, own: &Ident, parameters: &Parameters) -> TokenStream {
    let inherited = attributes::inherited(&service.item.attrs);
    let server = service.derived("Server");
    let arc = arc(service);
    let name = server.to_string();
    let Parameters {
        unbounded, arguments, ..
    } = parameters;
    quote! {
        #(#inherited)*
        impl<#own, #(#unbounded),*> ::core::clone::Clone for #server<#own, #(#arguments),*> {
            fn clone(&self) -> Self {
                Self { service: #arc::clone(&self.service), marker: ::core::marker::PhantomData }
            }
        }

        #(#inherited)*
        impl<#own, #(#unbounded),*> ::core::fmt::Debug for #server<#own, #(#arguments),*> {
            fn fmt(&self, f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
                f.debug_struct(#name).finish_non_exhaustive()
            }
        }
    }
}

fn mount(service: &Service, own: &Ident, parameters: &Parameters) -> TokenStream {
    let facade = &service.facade;
    let inherited = attributes::inherited(&service.item.attrs);
    let the_trait = &service.item.ident;
    let server = service.derived("Server");
    let table = methods::table(service);
    let all = methods::all(service);
    let Parameters {
        bounded,
        arguments,
        clause,
        ..
    } = parameters;
    let implementation = quote!(<#own as #the_trait<#(#arguments),*>>);
    let methods = service.methods.iter().enumerate();
    let arms = methods.map(|(index, method)| arm(service, &implementation, index, method));
    quote! {
        #(#inherited)*
        impl<#own: #the_trait<#(#arguments),*>, #(#bounded),*> #facade::__private::Mount
            for #server<#own, #(#arguments),*>
        #clause
        {
            fn name(&self) -> &'static str {
                #table::NAME
            }

            fn methods(&self) -> &'static [#facade::__private::Method] {
                #all
            }

            // Those of streams own the request that is moved on to them.
            #[allow(unused_mut)]
            fn call(&self, index: usize, mut request: #facade::__private::Request) -> #facade::__private::Reply {
                match index {
                    #(#arms)*
                    _ => #facade::__private::unknown_method(&request),
                }
            }
        }
    }
}

/// One method: a single box per call, which owns the service and the request with its context.
fn arm(service: &Service, implementation: &TokenStream, index: usize, method: &Method) -> TokenStream {
    let inherited = attributes::inherited(&method.item.attrs);
    let arc = arc(service);
    let index = methods::index(service, index);
    let ident = method.ident();
    let encoded_type = methods::encoded_type(method);
    let names: Vec<Ident> = (0..method.arguments.len()).map(local).collect();
    let arguments = methods::encoded_value(method, &names);
    let context = method.takes_context.then(|| quote!(cx,));
    let facade = &service.facade;
    let upload = upload(facade, method, &names);
    let run = quote! {
        #upload
        let (cx, #arguments) = request.enter::<#encoded_type>()?;
        let result = #implementation::#ident(&service, #context #(#names),*).await;
    };
    let reply = match feed(method) {
        Some(feed) => quote! {
            #facade::__private::reply_with_stream(request, move |mut request, feed| async move { #run #feed })
        },
        None => {
            let respond = respond(method);
            quote!(::std::boxed::Box::pin(async move { #run cx.#respond(result) }))
        }
    };
    quote! {
        #(#inherited)*
        _ if index == #index => {
            let service = #arc::clone(&self.service);
            #reply
        }
    }
}

/// Takes the stream that comes with the request, under its argument's name.
fn upload(facade: &TokenStream, method: &Method, names: &[Ident]) -> Option<TokenStream> {
    let mut named = method.arguments.iter().zip(names);
    let (items, name) = named.find_map(|(argument, name)| Some((argument.items.as_ref()?, name)))?;
    let (item, error) = (&items.item, methods::item_error(facade, items));
    Some(quote!(let #name = request.take_stream::<#item, #error>()?;))
}

/// Feeds the stream that the method returned.
fn feed(method: &Method) -> Option<TokenStream> {
    let (items, error) = match &method.returns {
        Returns::Stream(items) => (items, None),
        Returns::StreamResult(items, error) => (items, Some(error)),
        _ => return None,
    };
    let item = &items.item;
    let feed = match &items.error {
        Some(error) => quote!(results::<#item, #error>),
        None => quote!(values::<#item>),
    };
    let unwrapped = error.map(|error| {
        quote! {
            let result = match result {
                ::core::result::Result::Ok(stream) => stream,
                ::core::result::Result::Err(error) => {
                    return cx.respond_result::<(), #error>(::core::result::Result::Err(error));
                }
            };
        }
    });
    Some(quote!(#unwrapped feed.#feed(cx, result).await))
}

fn arc(service: &Service) -> TokenStream {
    let facade = &service.facade;
    quote!(#facade::__private::Arc)
}

/// The handler's arguments, by names of the expansion's own.
fn local(index: usize) -> Ident {
    format_ident!("argument{index}", span = Span::mixed_site())
}

fn respond(method: &Method) -> TokenStream {
    match &method.returns {
        Returns::Result(ok, error) => quote!(respond_result::<#ok, #error>),
        _ => {
            let value = methods::value_type(method);
            quote!(respond::<#value>)
        }
    }
}
