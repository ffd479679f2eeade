//! Streams of items: arguments and results that come one by one.

mod items;
mod no_error;
mod streaming;
mod upload;

pub use items::{ItemError, Items};
pub use no_error::NoError;
pub use streaming::Streaming;
pub use upload::Upload;
pub(crate) use upload::encode_result;
