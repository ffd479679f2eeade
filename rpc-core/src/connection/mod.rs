//! A connection: the only place that owns both a pipe and the protocol's state.
//!
//! ```text
//!   callers ──▶ Shared { protocol, waiting calls, sender } ◀── Driver { receiver, handlers }   one task
//! ```
//!
//! Callers put their frames into the protocol's outbox under a lock and, if they are the first since the driver ran,
//! send the packet themselves; the rest gathers until the driver runs. The driver alone reads. PROTOCOL.md has the
//! rules; this module has the order of events.

mod ambient;
mod calling;
mod cancelled;
#[cfg(feature = "testing")]
mod credit;
mod credit_line;
mod driver;
mod end;
mod events;
mod faults;
mod handler;
mod handshake;
mod leaving;
mod lines;
mod ordered;
mod outcomes;
mod permit;
mod ping;
mod pump;
mod receiver;
mod response;
mod runner;
mod sending;
mod shared;
mod state;
mod streaming;
mod streams;
mod tasks;
mod timer;
mod transmit;
mod turn;
mod upload;
mod waiting;

pub(crate) use ambient::Ambient;
#[cfg(feature = "testing")]
pub(crate) use credit::Credit;
pub(crate) use driver::Driver;
pub use end::{ConnectError, ConnectionError};
pub(crate) use faults::{fault_of_layer, fault_of_layer_panic, panic_text};
pub(crate) use handler::{Dispatch, Stack};
pub use handshake::{Config, Handshake};
pub(crate) use handshake::{accept, connect};
pub(crate) use leaving::{FAREWELL_LIMIT, Leave};
pub(crate) use permit::{Permit, WaitForPermit};
pub(crate) use response::Sent;
pub(crate) use runner::Serving;
pub(crate) use sending::Sending;
pub(crate) use shared::Shared;
