//! A running server: it accepts clients, drives their connections, and drains them at the end.

use std::future::{Future, poll_fn};
use std::io;
use std::pin::pin;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use tokio::task::JoinSet;

use crate::connection::{Shared, accept};
use crate::transport::{Link, Listener};

use super::{MountError, Services};

/// Why a server ended, or never began.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ServeError {
    /// The services cannot be mounted together.
    #[error(transparent)]
    Mount(#[from] MountError),
    /// The listener ended.
    #[error("the listener ended")]
    Listener(#[source] io::Error),
}

/// What the connections of a server share.
pub(super) struct Running {
    services: Services,
    connections: Mutex<Connections>,
}

#[derive(Default)]
struct Connections {
    open: Vec<Weak<Shared>>,
    draining: bool,
}

/// What clients are told when the server ends.
const GOODBYE: &str = "the server is shutting down";

impl Running {
    pub(super) fn new(services: Services) -> Arc<Self> {
        Arc::new(Self {
            services,
            connections: Mutex::default(),
        })
    }

    pub(super) async fn serve(
        self: Arc<Self>,
        mut listener: impl Listener,
        signal: impl Future<Output = ()>,
        drain_deadline: Duration,
    ) -> Result<(), ServeError> {
        let mut tasks = JoinSet::new();
        let ended = self.accept_until(&mut listener, signal, &mut tasks).await;
        listener.close();
        let open = self.drain();
        let all_over = async {
            all_idle(&open).await;
            open.iter().for_each(|shared| shared.leave());
            while tasks.join_next().await.is_some() {}
        };
        if tokio::time::timeout(drain_deadline, all_over).await.is_err() {
            tracing::warn!(
                connections = tasks.len(),
                "the drain deadline passed; closing what is left"
            );
        }
        tasks.shutdown().await;
        ended
    }

    /// Accepts clients until the signal comes or the listener ends.
    async fn accept_until(
        self: &Arc<Self>,
        listener: &mut impl Listener,
        signal: impl Future<Output = ()>,
        tasks: &mut JoinSet<()>,
    ) -> Result<(), ServeError> {
        let mut signal = pin!(signal);
        loop {
            tokio::select! {
                biased;
                () = &mut signal => return Ok(()),
                accepted = poll_fn(|cx| listener.poll_accept(cx)) => match accepted {
                    Ok(link) => drop(tasks.spawn(Arc::clone(self).connection(link))),
                    Err(error) => return Err(ServeError::Listener(error)),
                },
                Some(_) = tasks.join_next() => {}
            }
        }
    }

    /// One client, from its greeting to its end.
    async fn connection(self: Arc<Self>, mut link: Link) {
        let handshake = match accept(&mut link, self.services.config(), self.services.names()).await {
            Ok(handshake) => handshake,
            Err(error) => {
                let peer = &link.peer;
                tracing::info!(%peer, error = &error as &dyn std::error::Error, "a client was not let in");
                return link.sender.close();
            }
        };
        let driver = self.services.driver(link, handshake);
        self.enter(driver.shared());
        self.services.clone().drive(driver).await;
    }

    fn enter(&self, shared: &Arc<Shared>) {
        let mut connections = self.connections.lock().unwrap_or_else(PoisonError::into_inner);
        if connections.draining {
            shared.drain(GOODBYE);
            shared.leave();
        }
        // Sweep when the list has doubled, so that a connection costs the same however many came and went.
        if connections.open.len() == connections.open.capacity() {
            connections.open.retain(|shared| shared.strong_count() > 0);
        }
        connections.open.push(Arc::downgrade(shared));
    }

    /// Tells every client, and those to come, that calls of depth 0 are over. Whom it told.
    fn drain(&self) -> Vec<Arc<Shared>> {
        let mut connections = self.connections.lock().unwrap_or_else(PoisonError::into_inner);
        connections.draining = true;
        let open = connections.open.drain(..);
        let open: Vec<_> = open.filter_map(|shared| shared.upgrade()).collect();
        open.iter().for_each(|shared| shared.drain(GOODBYE));
        open
    }
}

/// Waits until no call is open on any of the connections. A handler of one may still call the client of another, so none
/// is left before that.
async fn all_idle(open: &[Arc<Shared>]) {
    while let Some(busy) = open.iter().find(|shared| !shared.is_idle()) {
        busy.until_idle().await;
    }
}
