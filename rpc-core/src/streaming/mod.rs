//! Streams of items: arguments and results that come one by one.

mod batch;
mod items;
mod no_error;
mod source;
mod typed;
mod upload;

pub(crate) use batch::Batch;
pub use items::{ItemError, Items};
pub use no_error::NoError;
pub(crate) use source::{Filled, Lent, Source};
pub use typed::Streaming;
pub use upload::Upload;
