//! Putting a server together.

use std::any::TypeId;
use std::future::{Future, pending};
use std::sync::Arc;
use std::time::Duration;

use tower::layer::util::{Identity, Stack};
use tower::{Layer, Service};

use crate::client::BoxError;
use crate::connection::Config;
use crate::message::{Request, Response};
use crate::transport::Listener;

use super::router::Table;
use super::run::{Running, ServeError};
use super::stack::{Layers, Whole};
use super::{Mount, MountError, Router};

/// A server of one or more services; see [`Server::builder`].
#[derive(Debug)]
pub struct Server;

impl Server {
    /// A server without services yet.
    pub fn builder() -> ServerBuilder {
        let settings = Settings {
            table: Table::default(),
            fault: None,
            config: Config::default(),
            max_running: None,
            drain_deadline: Duration::from_secs(10),
        };
        ServerBuilder {
            settings,
            layers: Identity::new(),
            connection_layers: Identity::new(),
        }
    }
}

/// What a server serves, through which layers, and within which limits.
#[must_use = "a server does nothing until it is told to serve"]
pub struct ServerBuilder<L = Identity, C = Identity> {
    settings: Settings,
    layers: L,
    connection_layers: C,
}

/// What is set whatever the layers are.
struct Settings {
    table: Table,
    /// The first service that could not be mounted; told when the server is to serve.
    fault: Option<MountError>,
    config: Config,
    max_running: Option<usize>,
    drain_deadline: Duration,
}

impl<L, C> ServerBuilder<L, C> {
    /// Mounts a service under its own name.
    pub fn service(self, service: impl Mount) -> Self {
        let name = service.name();
        self.service_as(name, service)
    }

    /// Mounts a service under another name, for a second one of the same trait.
    pub fn service_as(mut self, name: impl Into<String>, service: impl Mount) -> Self {
        if let Err(fault) = self.settings.table.mount(name.into(), Box::new(service)) {
            self.settings.fault.get_or_insert(fault);
        }
        self
    }

    /// Adds a tower layer that all connections share; the first added is outermost.
    pub fn layer<T>(self, layer: T) -> ServerBuilder<Stack<T, L>, C> {
        ServerBuilder {
            settings: self.settings,
            layers: Stack::new(layer, self.layers),
            connection_layers: self.connection_layers,
        }
    }

    /// Adds a tower layer that each connection gets an instance of, over those that all share; the first added is
    /// outermost.
    pub fn connection_layer<T>(self, layer: T) -> ServerBuilder<L, Stack<T, C>> {
        ServerBuilder {
            settings: self.settings,
            layers: self.layers,
            connection_layers: Stack::new(layer, self.connection_layers),
        }
    }

    /// Lets at most this many calls run at once, over all connections; the others wait. Calls that a handler makes are
    /// not counted, because their callers are.
    pub fn max_running(mut self, calls: usize) -> Self {
        self.settings.max_running = Some(calls);
        self
    }

    /// Lets each connection have at most this many calls open, 1 to 65,536; 1,024 unless set. Further callers wait in
    /// `poll_ready` at their end.
    pub fn max_calls(mut self, calls: u32) -> Self {
        self.settings.config.max_calls = calls;
        self
    }

    /// Takes request bodies of at most this many bytes; 128 MiB unless set. A method's `#[rpc(max_body = "..")]` goes
    /// before it.
    pub fn max_body(mut self, bytes: u64) -> Self {
        self.settings.config.max_body = bytes;
        self
    }

    /// Lets each connection have this many bytes of large request bodies under way; 16 MiB unless set. The last one
    /// may go beyond.
    pub fn window(mut self, bytes: u64) -> Self {
        self.settings.config.window = bytes;
        self
    }

    /// Lets in only clients that know the secret, at most 1,024 bytes.
    pub fn secret(mut self, secret: impl Into<Vec<u8>>) -> Self {
        self.settings.config.secret = Some(secret.into());
        self
    }

    /// Closes a connection whose client has not greeted within this time; 5 s unless set.
    pub fn handshake_timeout(mut self, limit: Duration) -> Self {
        self.settings.config.handshake_timeout = limit;
        self
    }

    /// Gives running calls this time to end when the server is told to stop; 10 s unless set.
    pub fn drain_deadline(mut self, limit: Duration) -> Self {
        self.settings.drain_deadline = limit;
        self
    }

    /// Serves every client that the listener accepts, for as long as the listener lives.
    ///
    /// # Errors
    /// If the services cannot be mounted together, or when the listener ends.
    ///
    /// # Cancel safety
    /// Dropping the future closes the listener and all connections; running handlers are dropped.
    pub async fn serve(self, listener: impl Listener) -> Result<(), ServeError>
    where
        L: Layer<Router> + 'static,
        L::Service: Clone + Send + Sync + 'static,
        C: Layer<L::Service> + Send + Sync + 'static,
        C::Service: Service<Request, Response = Response> + Clone + Send + 'static,
        <C::Service as Service<Request>>::Error: Into<BoxError>,
        <C::Service as Service<Request>>::Future: Send,
    {
        self.serve_until(listener, pending()).await
    }

    /// Serves until `signal` is ready; then takes no more clients and calls, lets running calls end within the drain
    /// deadline, and closes.
    ///
    /// # Errors
    /// As for [`serve`](Self::serve).
    ///
    /// # Cancel safety
    /// As for [`serve`](Self::serve).
    pub async fn serve_until(
        self,
        listener: impl Listener,
        signal: impl Future<Output = ()>,
    ) -> Result<(), ServeError>
    where
        L: Layer<Router> + 'static,
        L::Service: Clone + Send + Sync + 'static,
        C: Layer<L::Service> + Send + Sync + 'static,
        C::Service: Service<Request, Response = Response> + Clone + Send + 'static,
        <C::Service as Service<Request>>::Error: Into<BoxError>,
        <C::Service as Service<Request>>::Future: Send,
    {
        if let Some(fault) = self.settings.fault {
            return Err(fault.into());
        }
        let table = Arc::new(self.settings.table);
        let router = Router::new(Arc::clone(&table));
        let unlayered = TypeId::of::<(L, C)>() == TypeId::of::<(Identity, Identity)>();
        let stack: Box<dyn Whole> = if unlayered {
            Box::new(router)
        } else {
            Box::new(Layers {
                shared: self.layers.layer(router),
                connection: self.connection_layers,
            })
        };
        let running = Running::new(table, stack, self.settings.config, self.settings.max_running);
        running
            .serve(listener, signal, self.settings.drain_deadline)
            .await
    }
}

impl<L, C> std::fmt::Debug for ServerBuilder<L, C> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ServerBuilder")
            .field("services", &self.settings.table.names())
            .finish_non_exhaustive()
    }
}
