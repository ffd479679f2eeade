//! The server: what mounts an implementation of the trait.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{format_ident, quote};

use super::{generics, methods};
use crate::attributes;
use crate::model::{Method, Returns, Service};

/// `ThesaurusServer<T, ..>`, with the trait's parameters after its own.
pub(super) fn expand(service: &Service) -> TokenStream {
    let facade = &service.facade;
    let (vis, the_trait) = (&service.item.vis, &service.item.ident);
    let inherited = attributes::inherited(&service.item.attrs);
    let server = service.derived("Server");
    let served = service.fresh("T");
    let declared = generics::declared(&service.item.generics);
    let bounded = generics::bounded(&service.item.generics);
    let unbounded = generics::unbounded(&service.item.generics);
    let arguments = generics::arguments(&service.item.generics);
    let marker = generics::marker(&service.item.generics);
    let clause = &service.item.generics.where_clause;
    let mount = mount(service, &served);
    let name = server.to_string();
    let doc = format!(" Serves a [`{the_trait}`]: what a server mounts.");
    quote! {
        #(#inherited)*
        #[doc = #doc]
        #[allow(dead_code)]
        #vis struct #server<#served, #(#declared),*> {
            service: #facade::__private::Arc<#served>,
            marker: #marker,
        }

        #(#inherited)*
        #[allow(dead_code)]
        impl<#served: #the_trait<#(#arguments),*>, #(#bounded),*> #server<#served, #(#arguments),*> #clause {
            /// Serves `service`.
            #[must_use]
            #vis fn new(service: #served) -> Self {
                Self::from_arc(#facade::__private::Arc::new(service))
            }

            /// Serves `service`, which others may use too.
            #[must_use]
            #vis fn from_arc(service: #facade::__private::Arc<#served>) -> Self {
                Self { service, marker: ::core::marker::PhantomData }
            }
        }

        #(#inherited)*
        impl<#served, #(#unbounded),*> ::core::clone::Clone for #server<#served, #(#arguments),*> {
            fn clone(&self) -> Self {
                Self {
                    service: #facade::__private::Arc::clone(&self.service),
                    marker: ::core::marker::PhantomData,
                }
            }
        }

        #(#inherited)*
        impl<#served, #(#unbounded),*> ::core::fmt::Debug for #server<#served, #(#arguments),*> {
            fn fmt(&self, f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
                f.debug_struct(#name).finish_non_exhaustive()
            }
        }

        #(#inherited)*
        impl<#served: #the_trait<#(#arguments),*>, #(#bounded),*> #facade::__private::Mount
            for #server<#served, #(#arguments),*>
        #clause
        {
            #mount
        }
    }
}

/// The content of `impl Mount`.
fn mount(service: &Service, served: &Ident) -> TokenStream {
    let facade = &service.facade;
    let table = methods::table(service);
    let arms =
        (service.methods.iter().enumerate()).map(|(index, method)| arm(service, served, index, method));
    quote! {
        fn name(&self) -> &'static str {
            #table::NAME
        }

        fn methods(&self) -> &'static [#facade::__private::Method] {
            #table::all()
        }

        fn call(&self, index: usize, request: #facade::__private::Request) -> #facade::__private::Reply {
            match index {
                #(#arms)*
                _ => #facade::__private::unknown_method(&request),
            }
        }
    }
}

/// One method: a single box per call, which owns the service and the context.
fn arm(service: &Service, served: &Ident, index: usize, method: &Method) -> TokenStream {
    let facade = &service.facade;
    let the_trait = &service.item.ident;
    let parameters = generics::arguments(&service.item.generics);
    let inherited = attributes::inherited(&method.item.attrs);
    let index = methods::index(service, index);
    let ident = method.ident();
    let encoded_type = methods::encoded_type(method);
    let names: Vec<Ident> = (0..method.arguments.len()).map(local).collect();
    let arguments = methods::encoded_value(method, &names);
    let context = method.takes_context.then(|| quote!(&cx,));
    let respond = respond(method);
    quote! {
        #(#inherited)*
        _ if index == #index => {
            let service = #facade::__private::Arc::clone(&self.service);
            ::std::boxed::Box::pin(async move {
                let (cx, #arguments) = request.accept::<#encoded_type>()?;
                let result = <#served as #the_trait<#(#parameters),*>>::#ident(&service, #context #(#names),*).await;
                cx.#respond(&result)
            })
        }
    }
}

/// A name that no argument's type can be mistaken for.
fn local(index: usize) -> Ident {
    format_ident!("argument{index}", span = Span::mixed_site())
}

fn respond(method: &Method) -> TokenStream {
    match &method.returns {
        Returns::Result(ok, error) => quote!(respond_result::<#ok, #error>),
        Returns::Nothing | Returns::Value(_) => {
            let value = methods::value_type(method);
            quote!(respond::<#value>)
        }
    }
}
