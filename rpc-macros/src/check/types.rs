//! Rules for types that cross to another process: owned, and known in full.

use syn::visit::Visit;
use syn::{
    Lifetime, ReturnType, Type, TypeFnPtr, TypeImplTrait, TypeInfer, TypeParamBound, TypePath, TypePtr,
    TypeReference, TypeTraitObject,
};

use crate::errors::Errors;
use crate::model;
use crate::stream::{self, Items};

/// Checks the type of an argument.
pub(crate) fn check_argument(ty: &Type, errors: &mut Errors) {
    let role = Role::Argument;
    match Items::taken(ty) {
        Some(items) => check_items(&items, role, errors),
        None if stream::is_streaming(ty) => errors.at(
            ty,
            "the type of the items is missing: write `Streaming<T>`, or `Streaming<T, E>` if it may end with an error",
        ),
        None => Types { errors, role }.visit_type(ty),
    }
}

fn check_items(items: &Items, role: Role, errors: &mut Errors) {
    for ty in [Some(&items.item), items.error.as_ref()].into_iter().flatten() {
        Types { errors, role }.visit_type(ty);
    }
}

/// Checks a type that is returned, or the `Ok` of one.
fn check_value(ty: &Type, errors: &mut Errors) {
    let role = Role::Return;
    match Items::returned(ty) {
        Some(items) => check_items(&items, role, errors),
        None if stream::as_stream(ty).is_some() => errors.at(
            ty,
            "the type of the items is missing: write `impl Stream<Item = T>`",
        ),
        None => Types { errors, role }.visit_type(ty),
    }
}

/// Checks a method's return type.
pub(crate) fn check_return(output: &ReturnType, errors: &mut Errors) {
    let ReturnType::Type(_, ty) = output else {
        return;
    };
    match model::result_parameters(ty).as_deref() {
        None => check_value(ty, errors),
        Some([ok, error]) => {
            check_value(ok, errors);
            Types { errors, role: Role::Return }.visit_type(error);
        }
        Some([] | [_]) => errors.at(
            ty,
            "the client must see the error's type: write `Result<T, E>` in full, with an error of your own that \
             implements `Serialize` and `Deserialize` (`io::Error` and `anyhow::Error` do not)",
        ),
        Some(_) => errors.at(ty, "`Result` has two parameters: write `Result<T, E>`, with tuples if there are more values"),
    }
}

#[derive(Clone, Copy)]
enum Role {
    Argument,
    Return,
}

/// Looks through a type for what cannot cross.
struct Types<'e> {
    errors: &'e mut Errors,
    role: Role,
}

impl<'a> Visit<'a> for Types<'_> {
    fn visit_type_reference(&mut self, reference: &'a TypeReference) {
        let owned = owned(&reference.elem);
        self.errors.at(
            reference,
            match self.role {
                Role::Argument => {
                    format!("an argument crosses to another process and is owned: take `{owned}`")
                }
                Role::Return => format!("a result crosses to another process and is owned: return `{owned}`"),
            },
        );
    }

    fn visit_type_impl_trait(&mut self, ty: &'a TypeImplTrait) {
        self.errors.at(
            ty,
            match self.role {
                Role::Argument if is_stream(&ty.bounds) => {
                    "a stream is taken as `Streaming<T>`, with the type of its items"
                }
                Role::Return if is_stream(&ty.bounds) => {
                    "a stream is returned by itself or as the `Ok` of a `Result`: move it out of the other type"
                }
                Role::Argument => {
                    "the server must know the type: take one type, or make it a parameter of the trait"
                }
                Role::Return => {
                    "the client must know the type: return one type, such as a `Vec` in place of an iterator"
                }
            },
        );
    }

    fn visit_type_trait_object(&mut self, ty: &'a TypeTraitObject) {
        let message = if is_stream(&ty.bounds) {
            "the items' type is all that matters: return `impl Stream<Item = T>`, which a boxed stream is too"
        } else {
            "a `dyn` value cannot cross to another process: use an enum of what it may be"
        };
        self.errors.at(ty, message);
    }

    fn visit_type_fn_ptr(&mut self, ty: &'a TypeFnPtr) {
        self.errors.at(
            ty,
            "a function cannot cross to another process: use an enum of what it may do",
        );
    }

    fn visit_type_ptr(&mut self, ty: &'a TypePtr) {
        self.errors
            .at(ty, "a pointer means nothing in another process: send the value");
    }

    fn visit_type_infer(&mut self, ty: &'a TypeInfer) {
        self.errors
            .at(ty, "both sides must know the type: write it in place of `_`");
    }

    fn visit_lifetime(&mut self, lifetime: &'a Lifetime) {
        if lifetime.ident != "static" {
            self.errors.at(
                lifetime,
                "what crosses to another process is owned: use `'static` or a type without lifetimes",
            );
        }
    }

    fn visit_type_path(&mut self, path: &'a TypePath) {
        let segments = &path.path.segments;
        if segments.first().is_some_and(|first| first.ident == "Self") {
            self.errors.at(
                path,
                "clients do not know the server's `Self`: name a type, or make it a parameter of the trait",
            );
        } else if segments.last().is_some_and(|last| last.ident == "Streaming") {
            self.errors.at(
                path,
                match self.role {
                    Role::Argument => "a stream is an argument of its own: move it out of the other type",
                    Role::Return => "`Streaming` is what clients get: return `impl Stream<Item = T>`",
                },
            );
        } else {
            syn::visit::visit_type_path(self, path);
        }
    }
}

fn is_stream<'a>(bounds: impl IntoIterator<Item = &'a TypeParamBound>) -> bool {
    bounds.into_iter().any(|bound| match bound {
        TypeParamBound::Trait(bound) => bound
            .path
            .segments
            .last()
            .is_some_and(|last| last.ident == "Stream"),
        _ => false,
    })
}

/// What to take in place of a reference to `ty`.
fn owned(ty: &Type) -> String {
    if let Type::Slice(slice) = ty {
        return format!("Vec<{}>", text(&slice.elem));
    }
    match model::last_segment(ty) {
        Some(last) if last.ident == "str" => "String".to_owned(),
        Some(last) if last.ident == "Path" => "PathBuf".to_owned(),
        Some(last) if last.ident == "OsStr" => "OsString".to_owned(),
        _ => text(ty),
    }
}

fn text(ty: &Type) -> String {
    crate::signature::text_of(ty)
}
