//! Clients without async: the macro lets them through.

pub use rpc_core::client::{BlockingCaller, BlockingClient, BlockingStreaming};

/// Expands to what it is given: the feature `blocking` is on.
#[doc(hidden)]
#[macro_export]
macro_rules! __blocking {
    ($($items:tt)*) => { $($items)* };
}
