//! Serving: services, the stack of layers over them, and the server that runs them.

mod authorize;
mod authorized;
mod builder;
mod context;
mod enter;
mod feed;
mod gate;
mod load;
mod mount;
mod require;
mod router;
mod run;
mod services;
mod stack;

pub use authorize::{Authorize, RuleError};
pub use authorized::Authorized;
pub use builder::{Server, ServerBuilder};
pub use context::Context;
pub(crate) use context::{decode, decode_slice, encode, encode_into};
pub use feed::{Feed, reply_with_stream};
pub(crate) use load::{MethodLoad, Watch};
pub use mount::{Mount, Reply};
pub use require::Require;
pub(crate) use router::MAX_DEPTH;
pub use router::{MountError, Router};
pub use run::ServeError;
pub use services::Services;
