//! Placeholders for the channel and what opens one.

use rpc_core::fault::Fault;
use rpc_core::message::{Request, Response};
use tower::util::BoxCloneSyncService;

/// The client's handle on a connection.
pub type Channel = BoxCloneSyncService<Request, Response, Fault>;

/// Where and how to connect.
#[derive(Clone, Debug)]
pub struct Connect {
    name: String,
}

impl From<&str> for Connect {
    fn from(name: &str) -> Self {
        Self {
            name: name.to_owned(),
        }
    }
}

/// Why there is no connection.
#[derive(Debug, thiserror::Error)]
#[error("nobody serves `{name}`")]
pub struct ConnectError {
    name: String,
}

/// Opens a channel.
///
/// # Errors
/// Always.
///
/// # Cancel safety
/// Nothing is opened.
pub async fn connect(target: impl Into<Connect>) -> Result<Channel, ConnectError> {
    let Connect { name } = target.into();
    std::future::ready(Err(ConnectError { name })).await
}
