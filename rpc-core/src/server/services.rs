//! What one end of a connection serves, whichever end it is.

use std::pin::Pin;
use std::sync::Arc;

use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio_util::task::TaskTracker;

use crate::client::Channel;
use crate::connection::{Config, Driver, Handshake, Serving};
use crate::transport::Link;

use super::router::Table;
use super::stack::Whole;

/// Services with the layers and limits around them, put together: what a client offers on the connection that it makes.
/// Made of a [`ServerBuilder`](super::ServerBuilder) by [`build`](super::ServerBuilder::build). Clones share it all.
#[derive(Clone)]
pub struct Services(Arc<Offer>);

struct Offer {
    table: Arc<Table>,
    stack: Box<dyn Whole>,
    max_running: Option<Arc<Semaphore>>,
    outliving: TaskTracker,
    /// What a peer is granted.
    config: Config,
    on_connect: Option<OnConnect>,
}

/// What is done with the peer of each new connection.
pub(super) type OnConnect = Box<dyn Fn(Channel) -> Pin<Box<dyn Future<Output = ()> + Send>> + Send + Sync>;

impl Services {
    pub(super) fn new(
        table: Arc<Table>,
        stack: Box<dyn Whole>,
        config: Config,
        max_running: Option<usize>,
        on_connect: Option<OnConnect>,
    ) -> Self {
        Self(Arc::new(Offer {
            table,
            stack,
            max_running: max_running.map(|calls| Arc::new(Semaphore::new(calls))),
            outliving: TaskTracker::new(),
            config,
            on_connect,
        }))
    }

    /// The names that the services are mounted under.
    #[must_use]
    pub fn names(&self) -> Vec<String> {
        self.0.table.names()
    }

    pub(super) fn config(&self) -> &Config {
        &self.0.config
    }

    /// The handlers that may outlive their connections.
    pub(super) fn outliving(&self) -> &TaskTracker {
        &self.0.outliving
    }

    /// A connecting end's own limits, but with what these services grant the other end's calls.
    pub(crate) fn granting(&self, config: &Config) -> Config {
        Config {
            max_calls: self.0.config.max_calls,
            max_nested: self.0.config.max_nested,
            window: self.0.config.window,
            ..config.clone()
        }
    }

    /// The driver of a connection that serves them.
    pub(crate) fn driver(&self, link: Link, handshake: Handshake) -> Driver {
        let serving = Serving {
            dispatch: Arc::clone(&self.0.table) as Arc<_>,
            stack: self.0.stack.instance(),
            max_running: self.0.max_running.clone(),
            outliving: self.0.outliving.clone(),
        };
        Driver::new(link, handshake, Some(serving))
    }

    /// Drives a connection to its end, and waits for what was begun when it was made.
    #[allow(
        clippy::manual_async_fn,
        reason = "each connection holds this future, and an async function's has room for the driver twice"
    )]
    pub(crate) fn drive(self, mut driver: Driver) -> impl Future<Output = ()> + Send {
        async move {
            let beside = self.begin_beside(&driver);
            (&mut driver).await;
            drop(driver);
            let Some(mut beside) = beside else { return };
            if let Some(Err(error)) = beside.join_next().await {
                tracing::error!(%error, "what was begun with a new connection did not end well");
            }
        }
    }

    /// A task of its own, which may block or panic without the connection; it ends with this one.
    fn begin_beside(&self, driver: &Driver) -> Option<JoinSet<()>> {
        let on_connect = self.0.on_connect.as_ref()?;
        let mut beside = JoinSet::new();
        beside.spawn(on_connect(Channel::of_peer(driver.shared())));
        Some(beside)
    }
}

impl std::fmt::Debug for Services {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Services")
            .field("names", &self.names())
            .finish_non_exhaustive()
    }
}
