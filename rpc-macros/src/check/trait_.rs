//! Rules for the trait itself and for what it holds beside methods.

use syn::visit::Visit;
use syn::{
    GenericParam, Generics, ItemTrait, Path, TraitItem, TypeParam, TypeParamBound, WhereClause,
    WherePredicate,
};

use crate::attributes;
use crate::errors::Errors;
use crate::model;

/// Checks all of the trait but its methods.
pub(crate) fn check(item: &ItemTrait, errors: &mut Errors) {
    if let Some(token) = &item.unsafety {
        errors.at(
            token,
            "a service cannot be an unsafe trait: a caller in another process has no contract to keep",
        );
    }
    if let Some(token) = &item.modifiers.auto_token {
        errors.at(token, "a service cannot be an auto trait: remove `auto`");
    }
    for attribute in item
        .attrs
        .iter()
        .filter(|attribute| attributes::hides_rpc(attribute))
    {
        errors.at(attribute, "`#[rpc(..)]` goes on the methods");
    }
    generics(&item.generics, errors);
    for item in &item.items {
        content(item, errors);
    }
}

fn generics(generics: &Generics, errors: &mut Errors) {
    for parameter in &generics.params {
        match parameter {
            GenericParam::Lifetime(lifetime) => errors.at(
                lifetime,
                "a service cannot have lifetimes: what crosses to another process is owned, take owned types instead",
            ),
            GenericParam::Type(parameter) => type_parameter(parameter, generics.where_clause.as_ref(), errors),
            GenericParam::Const(_) => {}
        }
    }
    for predicate in generics.where_clause.iter().flat_map(|clause| &clause.predicates) {
        let mut finder = SelfFinder(false);
        finder.visit_where_predicate(predicate);
        if finder.0 {
            errors.at(
                predicate,
                "clients have no `Self` of the server: write bounds on `Self` as supertraits",
            );
        }
        if let WherePredicate::Type(predicate) = predicate {
            unsized_bounds(predicate.bounds.iter(), errors);
        }
    }
}

fn type_parameter(parameter: &TypeParam, clause: Option<&WhereClause>, errors: &mut Errors) {
    unsized_bounds(parameter.bounds.iter(), errors);
    let ident = &parameter.ident;
    let is_bounded = |predicate: &WherePredicate| {
        matches!(predicate, WherePredicate::Type(predicate)
        if model::last_segment(&predicate.bounded_ty).is_some_and(|segment| segment.ident == *ident))
    };
    if parameter.bounds.is_empty() && !clause.is_some_and(|clause| clause.predicates.iter().any(is_bounded)) {
        errors.at(
            ident,
            format!(
                "values of `{ident}` cross to another process: bound it by `Serialize + DeserializeOwned + Send + Sync + 'static`"
            ),
        );
    }
}

fn unsized_bounds<'a>(bounds: impl Iterator<Item = &'a TypeParamBound>, errors: &mut Errors) {
    for bound in bounds {
        if let TypeParamBound::Trait(bound) = bound
            && bound.maybe.is_some()
        {
            errors.at(
                bound,
                "only sized values cross to another process: remove this bound",
            );
        }
    }
}

fn content(item: &TraitItem, errors: &mut Errors) {
    match item {
        TraitItem::Fn(_) => {}
        TraitItem::Const(item) => errors.at(
            &item.ident,
            "a service cannot have constants, which clients could not know: make it a method",
        ),
        TraitItem::Type(item) => errors.at(
            &item.ident,
            "a service cannot have associated types, which clients could not know: make it a type parameter of the trait",
        ),
        TraitItem::Macro(item) => errors.at(
            &item.mac.path,
            "a service cannot hold macro calls, which are not yet expanded here: write the methods out",
        ),
        other => errors.at(other, "a service holds methods and nothing else: move this out of the trait"),
    }
}

/// Looks for `Self`.
struct SelfFinder(bool);

impl<'a> Visit<'a> for SelfFinder {
    fn visit_path(&mut self, path: &'a Path) {
        self.0 |= path.segments.first().is_some_and(|first| first.ident == "Self");
        syn::visit::visit_path(self, path);
    }
}
