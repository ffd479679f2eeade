//! A running server: it accepts clients, drives their connections, and drains them at the end.

use std::future::{Future, poll_fn};
use std::io;
use std::pin::pin;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use tokio::task::JoinSet;
use tokio::time::{Instant, timeout_at};

use crate::connection::{FAREWELL_LIMIT, Leave, Shared, accept};
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
    /// How the connections are to end, once they are to.
    draining: Option<Leave>,
}

/// How long after the deadline a connection may take to end by itself: it tells what it cut, and is acknowledged.
const LAST_WORDS: Duration = FAREWELL_LIMIT.saturating_mul(2);

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
        let deadline = Instant::now().checked_add(drain_deadline);
        let open = self.drain(Leave::By(deadline));
        // The connections keep the deadline themselves, and then have their last words.
        by(deadline, all_idle(&open)).await;
        open.iter().for_each(|shared| shared.leave(Leave::By(deadline)));
        let all_over = async { while tasks.join_next().await.is_some() {} };
        let latest = deadline.and_then(|deadline| deadline.checked_add(LAST_WORDS));
        if !by(latest, all_over).await {
            let connections = tasks.len();
            tracing::warn!(connections, "the drain deadline passed; closing what is left");
        }
        tasks.shutdown().await;
        let outliving = self.services.outliving();
        outliving.close();
        if !by(deadline, outliving.wait()).await {
            let handlers = outliving.len();
            tracing::warn!(handlers, "the drain deadline passed; handlers that finish run on");
        }
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
    async fn connection(self: Arc<Self>, link: Link) {
        // In memory of its own, which is free again when the connection is made.
        let Some(driven) = Box::pin(self.greet(link)).await else {
            return;
        };
        driven.await;
    }

    /// Lets a client in: what drives its connection from then on.
    async fn greet(self: Arc<Self>, mut link: Link) -> Option<impl Future<Output = ()> + Send> {
        let handshake = match accept(&mut link, self.services.config(), self.services.names()).await {
            Ok(handshake) => handshake,
            Err(error) => {
                let peer = &link.peer;
                tracing::info!(%peer, error = &error as &dyn std::error::Error, "a client was not let in");
                link.sender.close();
                return None;
            }
        };
        let driver = self.services.driver(link, handshake);
        self.enter(driver.shared());
        Some(self.services.clone().drive(driver))
    }

    fn enter(&self, shared: &Arc<Shared>) {
        let mut connections = self.connections.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(how) = connections.draining {
            shared.drain(GOODBYE);
            shared.leave(how);
        }
        // Sweep when the list has doubled, so that a connection costs the same however many came and went.
        if connections.open.len() == connections.open.capacity() {
            connections.open.retain(|shared| shared.strong_count() > 0);
        }
        connections.open.push(Arc::downgrade(shared));
    }

    /// Tells every client, and those to come, that calls of depth 0 are over. Whom it told.
    fn drain(&self, how: Leave) -> Vec<Arc<Shared>> {
        let mut connections = self.connections.lock().unwrap_or_else(PoisonError::into_inner);
        connections.draining = Some(how);
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

/// Waits for the future until the deadline, if there is one. Whether it was ready.
async fn by(deadline: Option<Instant>, future: impl Future<Output = ()>) -> bool {
    let Some(deadline) = deadline else {
        future.await;
        return true;
    };
    timeout_at(deadline, future).await.is_ok()
}
