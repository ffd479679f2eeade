//! Calling: the channel, what outlives it, and the stub that generated clients are made of.

#[cfg(feature = "blocking")]
mod blocking;
#[cfg(feature = "blocking")]
mod blocking_caller;
mod call_future;
mod channel;
mod direct;
mod layered;
mod mismatch;
mod options;
mod reconnect;
mod retry;
mod stub;
mod typed;
mod within;

#[cfg(feature = "blocking")]
pub use blocking::{BlockingClient, BlockingStreaming};
#[cfg(feature = "blocking")]
pub use blocking_caller::BlockingCaller;
pub use call_future::CallFuture;
pub use channel::Channel;
pub use layered::{BoxError, Caller};
pub use reconnect::{
    AttemptError, ConnectionState, ConnectionStates, Reconnect, ReconnectError, ReconnectPolicy, Reconnecting,
};
pub use retry::{Retry, RetryLayer};
pub use stub::Stub;
pub use typed::Client;
