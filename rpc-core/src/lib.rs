//! The heart of pipe-rpc: the protocol, the connection that drives it, clients and servers.
//!
//! Most programs use the `pipe-rpc` crate, which re-exports what they need and adds the pipes. This crate knows
//! nothing of operating systems: it speaks over anything that implements the port in [`transport`].
#![forbid(unsafe_code)]
#![warn(clippy::unwrap_used)]

pub mod client;
pub mod codec;
pub mod connection;
pub mod fault;
pub mod message;
pub mod method;
pub mod proto;
pub mod schema;
pub mod server;
pub mod streaming;
pub mod tables;
#[cfg(feature = "testing")]
pub mod testing;
#[cfg(feature = "opentelemetry")]
pub mod trace;
pub mod transport;
