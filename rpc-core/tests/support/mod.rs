//! What the tests of the protocol share. Each test file uses a part of it.
#![allow(dead_code, unreachable_pub)]

pub mod hooked;
pub mod pair;
pub mod peer;
pub mod service;
pub mod streaming;
pub mod table;
