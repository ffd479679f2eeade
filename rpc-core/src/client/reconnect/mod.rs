//! A client that outlives its server.
//!
//! ```text
//!   calls ──▶ Retry ──▶ Reconnect ──▶ the channel of now
//!                           │               ▲
//!                         Shared ◀───── Keeper: connects, waits, connects again    one task
//! ```
//!
//! [`Reconnect`] only chooses the channel; whether a call is made again is the business of
//! [`Retry`](super::Retry), which is around it.

mod error;
mod keeper;
mod policy;
mod reconnecting;
mod service;
mod state;

pub use error::{AttemptError, ReconnectError};
pub use policy::ReconnectPolicy;
pub use reconnecting::Reconnecting;
pub use service::Reconnect;
pub use state::{ConnectionState, ConnectionStates};
