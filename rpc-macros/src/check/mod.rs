//! The rules: what a trait must be to be served. Each is told at the token that breaks it, with the remedy.

mod arguments;
mod method;
mod names;
mod trait_;
mod types;

use crate::errors::Errors;
use crate::model::Service;

/// Holds `service` against all rules and drops the methods that break one. Tells whether the rest can be expanded.
pub(crate) fn check(service: &mut Service, errors: &mut Errors) -> bool {
    let is_sound = errors.none_from(|errors| trait_::check(&service.item, errors));
    (service.methods).retain(|method| errors.none_from(|errors| method::check(method, errors)));
    names::check(&service.methods, errors);
    is_sound
}
