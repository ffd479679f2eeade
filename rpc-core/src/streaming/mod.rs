//! Streams of items: arguments and results that come one by one.

mod items;
mod no_error;
mod typed;
mod upload;

pub use items::{ItemError, Items};
pub use no_error::NoError;
pub use typed::Streaming;
pub use upload::Upload;
pub(crate) use upload::encode_result;
