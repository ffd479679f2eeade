//! Calling: the channel and the stub that generated clients are made of.

#[cfg(feature = "blocking")]
mod blocking;
mod channel;
mod stub;

#[cfg(feature = "blocking")]
pub use blocking::{BlockingClient, BlockingStreaming};
pub use channel::{CallFuture, Channel};
pub use stub::{BoxError, Caller, Stub};
