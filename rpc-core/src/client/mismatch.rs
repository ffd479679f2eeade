//! Methods that client and server have otherwise: the fault says how they differ.

use crate::fault::{Fault, Reason};
use crate::method::Method;
use crate::schema;

/// What the server says of a method that differs there, with what it is here.
pub(super) fn with_ours(fault: Fault, method: &Method) -> Fault {
    if !matches!(fault.reason(), Reason::UnknownMethod | Reason::SignatureMismatch) {
        return fault;
    }
    let theirs = fault.detail().unwrap_or_default();
    let (name, ours) = (method.name, method.text());
    let mut text = format!("{theirs}; this client has {name}{ours}");
    let their_text = theirs
        .strip_prefix("the server has ")
        .and_then(|text| text.strip_prefix(name));
    if let Some(difference) = their_text.and_then(|theirs| schema::explain(name, theirs, ours)) {
        text.push_str("; what differs: ");
        text.push_str(&difference);
    }
    fault.with_detail(text)
}
