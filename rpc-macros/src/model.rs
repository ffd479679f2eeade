//! What a trait says, in the terms of pipe-rpc.

use std::collections::HashSet;

use proc_macro2::{Span, TokenStream, TokenTree};
use quote::{ToTokens, format_ident};
use syn::ext::IdentExt as _;
use syn::{
    FnArg, GenericArgument, Ident, ItemTrait, Pat, PatType, PathArguments, PathSegment, ReturnType, TraitItem,
};
use syn::{TraitItemFn, Type};

use crate::attributes::{MethodOptions, ServiceOptions};
use crate::errors::Errors;
use crate::facade;
use crate::parse::Source;
use crate::stream::Items;

/// A trait that is to be served.
pub(crate) struct Service {
    pub(crate) item: ItemTrait,
    pub(crate) options: ServiceOptions,
    pub(crate) methods: Vec<Method>,
    /// The path of pipe-rpc.
    pub(crate) facade: TokenStream,
}

/// One method of a trait.
pub(crate) struct Method {
    pub(crate) item: TraitItemFn,
    pub(crate) options: MethodOptions,
    /// Whether it takes `cx: &Context`.
    pub(crate) takes_context: bool,
    /// What goes over the wire: neither `self` nor the context.
    pub(crate) arguments: Vec<Argument>,
    pub(crate) returns: Returns,
}

/// An argument that goes over the wire.
pub(crate) struct Argument {
    pub(crate) ident: Ident,
    pub(crate) ty: Type,
    /// What it carries, if it is a stream.
    pub(crate) items: Option<Items>,
}

/// What a method returns.
pub(crate) enum Returns {
    /// The unit.
    Nothing,
    /// Any type but the two others.
    Value(Box<Type>),
    /// `Result<T, E>`, written out.
    Result(Box<Type>, Box<Type>),
    /// `impl Stream<Item = T>`.
    Stream(Box<Items>),
    /// `Result<impl Stream<Item = T>, E>`.
    StreamResult(Box<Items>, Box<Type>),
}

impl Service {
    /// Reads a trait. Options that cannot be read are told; all other rules are for later.
    pub(crate) fn of(source: Source, errors: &mut Errors) -> Self {
        let Source { item, options } = source;
        let functions = item.items.iter().filter_map(|item| match item {
            TraitItem::Fn(function) => Some(function.clone()),
            _ => None,
        });
        let methods = functions.map(|function| Method::of(function, errors)).collect();
        let facade = facade::path(options.facade.as_ref());
        Self {
            item,
            options,
            methods,
            facade,
        }
    }

    /// The name on the wire.
    pub(crate) fn name(&self) -> String {
        let given = self.options.name.as_ref().map(syn::LitStr::value);
        given.unwrap_or_else(|| self.item.ident.unraw().to_string())
    }

    /// The name of what is derived as `suffix`: `ThesaurusClient`.
    pub(crate) fn derived(&self, suffix: &str) -> Ident {
        format_ident!(
            "{}{suffix}",
            self.item.ident.unraw(),
            span = self.item.ident.span()
        )
    }

    /// `wanted`, or with a number if the trait uses that name for something.
    pub(crate) fn fresh(&self, wanted: &str) -> Ident {
        let mut taken = HashSet::new();
        collect_words(self.item.to_token_stream(), &mut taken);
        let numbered = (1_u32..).map(|number| format!("{wanted}{number}"));
        let mut names = std::iter::once(wanted.to_owned()).chain(numbered);
        let name = names.find(|name| !taken.contains(name));
        Ident::new(
            &name.expect("there are more numbers than words"),
            Span::call_site(),
        )
    }
}

impl Method {
    fn of(item: TraitItemFn, errors: &mut Errors) -> Self {
        let mut typed: Vec<&PatType> = item.sig.inputs.iter().filter_map(typed).collect();
        let takes_context = typed.first().is_some_and(|first| is_context_reference(&first.ty));
        if takes_context {
            typed.remove(0);
        }
        Self {
            options: MethodOptions::parse(&item.attrs, errors),
            takes_context,
            arguments: typed.into_iter().map(Argument::of).collect(),
            returns: Returns::of(&item.sig.output),
            item,
        }
    }

    /// Its arguments that are encoded together, which is all but a stream.
    pub(crate) fn values(&self) -> impl Iterator<Item = &Argument> {
        self.arguments.iter().filter(|argument| argument.items.is_none())
    }

    /// Its argument that is a stream, with what that carries.
    pub(crate) fn upload(&self) -> Option<(&Argument, &Items)> {
        let mut streams = self.arguments.iter();
        streams.find_map(|argument| argument.items.as_ref().map(|items| (argument, items)))
    }

    /// Its name in Rust.
    pub(crate) fn ident(&self) -> &Ident {
        &self.item.sig.ident
    }

    /// Its name on the wire.
    pub(crate) fn name(&self) -> String {
        let given = self.options.name.as_ref().map(syn::LitStr::value);
        given.unwrap_or_else(|| self.ident().unraw().to_string())
    }

    /// The token that gives it its name on the wire.
    pub(crate) fn name_token(&self) -> TokenStream {
        match &self.options.name {
            Some(name) => name.to_token_stream(),
            None => self.ident().to_token_stream(),
        }
    }
}

impl Argument {
    fn of(argument: &PatType) -> Self {
        let ident = match &*argument.pat {
            Pat::Ident(pattern) => pattern.ident.clone(),
            // Refused by the rules.
            _ => Ident::new("_argument", Span::call_site()),
        };
        Self {
            ident,
            ty: (*argument.ty).clone(),
            items: Items::taken(&argument.ty),
        }
    }
}

impl Returns {
    fn of(output: &ReturnType) -> Self {
        let ReturnType::Type(_, ty) = output else {
            return Self::Nothing;
        };
        if let Some(items) = Items::returned(ty) {
            return Self::Stream(Box::new(items));
        }
        match (&**ty, result_parameters(ty).as_deref()) {
            (_, Some([ok, error])) if let Some(items) = Items::returned(ok) => {
                Self::StreamResult(Box::new(items), Box::new(error.clone()))
            }
            (_, Some([ok, error])) => Self::Result(Box::new(ok.clone()), Box::new(error.clone())),
            (Type::Tuple(tuple), _) if tuple.elems.is_empty() => Self::Nothing,
            _ => Self::Value(ty.clone()),
        }
    }
}

/// The argument, unless it is `self`.
pub(crate) fn typed(argument: &FnArg) -> Option<&PatType> {
    match argument {
        FnArg::Typed(typed) => Some(typed),
        FnArg::Receiver(_) => None,
    }
}

/// The parameters of a type that is called `Result`, whatever their number.
pub(crate) fn result_parameters(ty: &Type) -> Option<Vec<Type>> {
    let segment = last_segment(ty).filter(|segment| segment.ident == "Result")?;
    let PathArguments::AngleBracketed(list) = &segment.arguments else {
        return Some(Vec::new());
    };
    let types = list.args.iter().filter_map(|argument| match argument {
        GenericArgument::Type(ty) => Some(ty.clone()),
        _ => None,
    });
    Some(types.collect())
}

/// Whether `ty` is `&Context`, by whatever path.
pub(crate) fn is_context_reference(ty: &Type) -> bool {
    matches!(ungrouped(ty), Type::Reference(reference)
        if reference.mutability.is_none() && is_context(&reference.elem))
}

/// Whether `ty` is `Context`, by whatever path.
pub(crate) fn is_context(ty: &Type) -> bool {
    last_segment(ty).is_some_and(|segment| segment.ident == "Context" && segment.arguments.is_none())
}

/// The last segment of a type that is a path.
pub(crate) fn last_segment(ty: &Type) -> Option<&PathSegment> {
    match ungrouped(ty) {
        Type::Path(path) if path.qself.is_none() => path.path.segments.last(),
        _ => None,
    }
}

/// `ty` without the invisible group that a `macro_rules` puts around it, and without parentheses.
pub(crate) fn ungrouped(ty: &Type) -> &Type {
    match ty {
        Type::Group(group) => ungrouped(&group.elem),
        Type::Paren(paren) => ungrouped(&paren.elem),
        other => other,
    }
}

fn collect_words(tokens: TokenStream, words: &mut HashSet<String>) {
    for token in tokens {
        match token {
            TokenTree::Group(group) => collect_words(group.stream(), words),
            TokenTree::Ident(word) => drop(words.insert(word.to_string())),
            TokenTree::Punct(_) | TokenTree::Literal(_) => {}
        }
    }
}
