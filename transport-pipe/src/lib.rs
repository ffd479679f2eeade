//! Message-mode pipes for tokio: named pipes on Windows, SEQPACKET sockets on Linux, framed stream sockets elsewhere.
//!
//! A pipe carries whole packets, in order, between two processes of one computer. This crate knows the pipes and the
//! operating systems, and nothing of calls.
//!
//! ```no_run
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! use pipe_rpc_transport::{Pipe, PipeServer};
//!
//! let mut server = PipeServer::bind("thesaurus")?;
//! let mut client = Pipe::connect("thesaurus").await?;
//! let mut served = server.accept().await?;
//!
//! client.send(b"a packet").await?;
//! let packet = served.recv().await?.expect("the client is still there");
//! assert_eq!(&*packet, b"a packet");
//! # Ok(())
//! # }
//! ```
#![warn(clippy::unwrap_used)]

mod access;
mod backoff;
mod connect;
mod error;
mod expect;
mod gauges;
mod lookup;
mod name;
mod name_rules;
mod options;
mod pipe;
mod server;
#[cfg(unix)]
mod unix;
#[cfg(windows)]
mod windows;

#[cfg(unix)]
use unix as sys;
#[cfg(windows)]
use windows as sys;

pub use access::{Access, AccessError};
pub use connect::{PipeBuilder, connect_link};
pub use error::{BindError, ConnectError, NameError, Obstacle, PlaceFault};
pub use expect::Owner;
pub use lookup::{LookupError, executable_for_logs, group_named, user_named};
pub use name::PipeName;
pub use options::{ConnectOptions, Framing, MAX_PACKET, ServerOptions};
pub use pipe::{Closer, Pipe, PipeParts, PipeReceiver, PipeSender};
pub use rpc_core::transport::{Account, NotASid, Packet, PeerIdentity, Principal, PrincipalId};
pub use server::{PipeServer, PipeServerBuilder};
#[cfg(all(feature = "testing", target_os = "linux"))]
pub use sys::SystemCalls;
