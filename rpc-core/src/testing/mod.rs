//! For tests: of your own services and clients, and of this crate. Behind the feature `testing`.
//!
//! | to test | use |
//! |---|---|
//! | a service through its client, without a pipe | [`connect`], [`serve`] |
//! | how yours takes a peer that misbehaves | [`ScriptedPeer`], [`frame`] |
//!
//! Everything runs inside one process and one runtime, and under simulated time (`tokio::time::pause`) it runs the same
//! way each time. What fails panics, with a text that says what was expected and what came.

mod expected;
pub mod frame;
mod greeting;
mod peer;
mod serve;
mod transcript;

pub use crate::proto::{Hello, HelloAnswer, Reject, RejectCode};
pub use expected::Expected;
pub use frame::Frame;
pub use greeting::hello;
pub use peer::ScriptedPeer;
pub use serve::{connect, serve};
