//! Typed async calls between the programs of one computer, over message-mode pipes.
//!
//! A trait with one attribute is the whole contract. A server implements it, a client calls it as if it were here:
//!
//! ```
//! use pipe_rpc::{PipeServer, Server};
//!
//! #[pipe_rpc::service]
//! trait Thesaurus {
//!     /// Words that mean about the same.
//!     async fn synonyms(&self, word: String, limit: u32) -> Vec<String>;
//! }
//!
//! struct Small;
//!
//! impl Thesaurus for Small {
//!     async fn synonyms(&self, word: String, limit: u32) -> Vec<String> {
//!         let all = if word == "pipe" { vec!["tube", "duct"] } else { vec![] };
//!         all.into_iter().take(limit as usize).map(str::to_owned).collect()
//!     }
//! }
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let name = format!("doc-{}", std::process::id());
//! # let name = name.as_str();
//! let server = Server::builder().service(ThesaurusServer::new(Small)).serve(PipeServer::bind(name)?);
//! tokio::spawn(server);
//!
//! let thesaurus = ThesaurusClient::connect(name).await?;
//! assert_eq!(thesaurus.synonyms("pipe".into(), 1).await?, ["tube"]);
//! # Ok(())
//! # }
//! ```
//!
//! | to | see |
//! |---|---|
//! | say what a method is | [`service`](macro@service), [`Context`], [`Streaming`] |
//! | serve | [`Server`], [`ServerBuilder`], [`PipeServer`], [`PipeName`] |
//! | say who may connect, and call what | [`Access`], [`Owner`], [`Authorize`], [`Require`] |
//! | connect, and call back | [`Connect`], [`Context::peer`] |
//! | connect again | [`ClientBuilder`], [`ReconnectPolicy`], [`RetryLayer`] |
//! | know what became of a call | [`Fault`], [`Outcome`], [`Reason`], [`CallError`] |
//! | put layers around | [`Request`], [`Response`], [`Metadata`], [`Caller`] |
//!
//! # Features
//! Neither is on unless asked for.
//!
//! - `blocking`: clients without async, from the same traits.
//! - `testing`: for tests, the module `testing`: services without a pipe, scripted peers, faulty pipes, futures dropped at
//!   every poll.
#![forbid(unsafe_code)]
#![warn(clippy::unwrap_used)]

// The expansion of `#[service]` names this crate by its name, also in this crate's own tests and examples.
extern crate self as pipe_rpc;

#[cfg(feature = "blocking")]
mod blocking;
mod builder;
mod connect;
#[cfg(not(feature = "blocking"))]
mod no_blocking;

pub use builder::ClientBuilder;
pub use connect::{Connect, ConnectError};
pub use rpc_core::client::{
    AttemptError, ConnectionState, ConnectionStates, Reconnect, ReconnectError, ReconnectPolicy, Reconnecting,
};
#[cfg(feature = "blocking")]
pub use rpc_core::client::{BlockingCaller, BlockingStreaming};
pub use rpc_core::client::{BoxError, Caller, Channel, Client, Retry, RetryLayer};
pub use rpc_core::codec::Codec;
pub use rpc_core::connection::{Config, ConnectError as GreetError, ConnectionError};
pub use rpc_core::fault::{CallError, Fault, Outcome, Reason};
pub use rpc_core::message::{Request, Response};
pub use rpc_core::method::Method;
pub use rpc_core::proto::{Metadata, MetadataError};
pub use rpc_core::schema;
pub use rpc_core::server::{
    Authorize, Context, MountError, Require, RuleError, ServeError, Server, ServerBuilder, Services,
};
pub use rpc_core::streaming::{NoError, Streaming};
#[cfg(feature = "testing")]
pub use rpc_core::testing;
#[cfg(feature = "opentelemetry")]
pub use rpc_core::trace;
pub use rpc_core::transport;
pub use rpc_core::transport::{NotASid, Principal};
pub use rpc_macros::service;
pub use transport_pipe::{
    Access, AccessError, Account, BindError, Framing, LookupError, NameError, Owner, PeerIdentity, Pipe,
    PipeName, PipeServer, executable_for_logs, group_named, user_named,
};

#[cfg(doctest)]
mod book;

/// What the expansion of `#[pipe_rpc::service]` names. Not part of the public interface.
#[doc(hidden)]
pub mod __private;
