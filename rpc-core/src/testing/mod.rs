//! For tests: of your own services and clients, and of this crate. Behind the feature `testing`.
//!
//! | to test | use |
//! |---|---|
//! | a service through its client, without a pipe | [`connect`], [`serve`] |
//! | how yours takes a peer that misbehaves | [`ScriptedPeer`], [`frame`] |
//! | how yours takes a pipe that is slow, stuck, torn or cut | [`Faults`] |
//! | that a call may be dropped anywhere | [`drop_at_every_poll`], [`Handlers`], [`assert_whole`] |
//!
//! Everything runs inside one process and one runtime, and under simulated time (`tokio::time::pause`) it runs the same
//! way each time. What fails panics, with a text that says what was expected and what came.

mod drops;
mod expected;
mod faults;
pub mod frame;
mod greeting;
mod peer;
mod serve;
mod transcript;
mod whole;

pub use crate::proto::{Hello, HelloAnswer, Reject, RejectCode};
pub use drops::{
    DropAt, HandlerDropped, Handlers, Moment, WatchedService, cancel_at_every_handler_poll, drop_at,
    drop_at_every_poll, drop_handler_at_every_poll,
};
pub use expected::Expected;
pub use faults::{Faults, Lane};
pub use frame::Frame;
pub use greeting::hello;
pub use peer::ScriptedPeer;
pub use serve::{connect, serve};
pub use whole::assert_whole;
