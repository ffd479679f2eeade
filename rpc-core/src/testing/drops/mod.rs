//! Futures that are dropped in the middle, at every place where they can be.

mod drop_at;
mod every_poll;
mod handlers;
mod moment;
mod watched;

pub use drop_at::{DropAt, drop_at};
pub use every_poll::{cancel_at_every_handler_poll, drop_at_every_poll, drop_handler_at_every_poll};
pub use handlers::{HandlerDropped, Handlers};
pub use moment::Moment;
pub use watched::WatchedService;
