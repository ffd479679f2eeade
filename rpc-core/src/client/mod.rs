//! Calling: the channel and the stub that generated clients are made of.

#[cfg(feature = "blocking")]
mod blocking;
mod channel;
mod stub;
mod typed;

#[cfg(feature = "blocking")]
pub use blocking::{BlockingClient, BlockingStreaming};
pub use channel::{CallFuture, Channel};
pub use stub::{BoxError, Caller, Stub};
pub use typed::Client;
