//! Serving: services, the stack of layers over them, and the server that runs them.

mod context;
mod mount;

pub use context::Context;
pub use mount::{Mount, Reply};
