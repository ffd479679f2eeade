//! What the shapes of types are found to be.
#![allow(dead_code, reason = "types are traced, and never made by name")]

mod attributes;
mod large;
mod methods;
mod named;
mod refused;
mod std_types;

use pipe_rpc_core::schema::MethodShape;
use serde::Deserialize;
use serde::de::DeserializeOwned;

/// The shape of a type as an argument, with the types that it names.
#[track_caller]
fn is<T: DeserializeOwned + 'static>(expected: &str) {
    let text = MethodShape::new()
        .argument::<T>("value")
        .argument::<()>("unit")
        .text();
    let (first, types) = text.split_once(", ())").expect("the second argument");
    let found = format!("{}{types}", first.strip_prefix('(').unwrap());
    assert_eq!(found, expected);
}

/// A struct for other types to hold.
#[derive(Deserialize)]
struct Entry {
    word: String,
    rank: Option<u32>,
}
