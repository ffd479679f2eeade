//! Putting a server together.

use std::any::TypeId;
use std::future::{Future, pending};
use std::sync::Arc;
use std::time::Duration;

use tower::layer::util::{Identity, Stack};
use tower::{Layer, Service};

use crate::client::{BoxError, Channel};
use crate::codec::Codec;
use crate::connection::Config;
use crate::message::{Request, Response};
use crate::transport::Listener;

use super::router::Table;
use super::run::{Running, ServeError};
use super::services::OnConnect;
use super::stack::{Layers, Whole};
use super::{Authorize, Mount, MountError, Router, Services};

/// A server of one or more services; see [`Server::builder`].
#[derive(Debug)]
pub struct Server;

impl Server {
    /// A server without services yet.
    pub fn builder() -> ServerBuilder {
        let settings = Settings {
            table: Table::default(),
            fault: None,
            rules: Vec::new(),
            config: Config::default(),
            max_running: None,
            drain_deadline: Duration::from_secs(10),
            on_connect: None,
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
    /// Held against the services when the server is to serve.
    rules: Vec<Authorize>,
    config: Config,
    max_running: Option<usize>,
    drain_deadline: Duration,
    on_connect: Option<OnConnect>,
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

    /// Begins something with each client that was let in, in a task of its own: call what it offers, or keep a handle on
    /// it. The channel neither ends the connection nor keeps it.
    ///
    /// What was begun is not cut off by the connection's end, so that it can tidy up after
    /// [`closed`](Channel::closed); the server waits for it when it drains, and drops it at the drain deadline.
    ///
    /// ```
    /// # use pipe_rpc_core::client::Channel;
    /// # use pipe_rpc_core::server::Server;
    /// let host = Server::builder().on_connect(|peer: Channel| async move {
    ///     println!("{} is here", peer.peer_identity());
    ///     println!("and gone: {}", peer.closed().await);
    /// });
    /// ```
    pub fn on_connect<F, D>(mut self, begin: F) -> Self
    where
        F: Fn(Channel) -> D + Send + Sync + 'static,
        D: Future<Output = ()> + Send + 'static,
    {
        let begin = Arc::new(begin);
        let begin: OnConnect = Box::new(move |peer| {
            let begin = Arc::clone(&begin);
            // Called in its own task, so that a panic of it is there too.
            Box::pin(async move { begin(peer).await })
        });
        self.settings.on_connect = Some(begin);
        self
    }

    /// Admits calls by who makes them: adds these rules as a [layer](Self::layer), and has [`serve`](Self::serve) tell
    /// if they name a service or a method that there is not.
    pub fn authorize(mut self, rules: Authorize) -> ServerBuilder<Stack<Authorize, L>, C> {
        self.settings.rules.push(rules.clone());
        self.layer(rules)
    }

    /// Lets at most this many calls run at once, over all connections; the others wait. Calls that a handler makes are
    /// not counted, because their callers are; whether a handler makes a call is the peer's word, so what bounds a peer
    /// that lies is [`max_nested`](Self::max_nested).
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

    /// Lets each connection have at most this many nested calls open beside them, 0 to 65,536; 1,024 unless set. These are
    /// calls of handlers, which never wait: further ones fail at their callers' end.
    pub fn max_nested(mut self, calls: u32) -> Self {
        self.settings.config.max_nested = calls;
        self
    }

    /// Takes request bodies of at most this many bytes; 128 MiB unless set. A method's `#[rpc(max_body = "..")]` goes
    /// before it.
    pub fn max_body(mut self, bytes: u64) -> Self {
        self.settings.config.max_body = bytes;
        self
    }

    /// Lets each connection have this many bytes of large request bodies under way, and as many of large items of streams
    /// that are half sent; 16 MiB unless set. The last one may go beyond.
    pub fn window(mut self, bytes: u64) -> Self {
        self.settings.config.window = bytes;
        self
    }

    /// Lets this many bytes of each stream that a caller sends be under way, where an item counts 64 bytes more than it
    /// has; 1 or more, where 0 is taken as 1, and 256 KiB unless set. The last item may go beyond. A method's
    /// `#[rpc(buffer = "..")]` holds for its streams if it is less.
    pub fn stream_buffer(mut self, bytes: u64) -> Self {
        self.settings.config.stream_buffer = bytes;
        self
    }

    /// Offers clients these codecs; bincode and JSON unless set. The client's order decides which is used.
    pub fn codecs(mut self, codecs: impl IntoIterator<Item = Codec>) -> Self {
        self.settings.config.codecs = codecs.into_iter().collect();
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

    /// Gives running calls, their streams, and handlers whose caller has gone but that finish, this time to end when the
    /// server is told to stop; 10 s unless set. Calls that have not ended then do so with a fault with
    /// [`Reason::Draining`](crate::fault::Reason::Draining) that their callers get, at the latest a second later.
    pub fn drain_deadline(mut self, limit: Duration) -> Self {
        self.settings.drain_deadline = limit;
        self
    }
}

impl<L, C> ServerBuilder<L, C>
where
    L: Layer<Router> + 'static,
    L::Service: Clone + Send + Sync + 'static,
    C: Layer<L::Service> + Send + Sync + 'static,
    C::Service: Service<Request, Response = Response> + Clone + Send + 'static,
    <C::Service as Service<Request>>::Error: Into<BoxError>,
    <C::Service as Service<Request>>::Future: Send,
{
    /// Serves every client that the listener accepts, for as long as the listener lives.
    ///
    /// # Errors
    /// If the services cannot be mounted together, if rules of [`authorize`](Self::authorize) fit none of them, or when
    /// the listener ends.
    ///
    /// # Cancel safety
    /// Dropping the future closes the listener and all connections; running handlers are dropped.
    pub async fn serve(self, listener: impl Listener) -> Result<(), ServeError> {
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
    ) -> Result<(), ServeError> {
        let drain_deadline = self.settings.drain_deadline;
        let running = Running::new(self.build()?);
        running.serve(listener, signal, drain_deadline).await
    }

    /// Puts together what a client offers to the server on the connection that it makes. The limits on what others send
    /// hold there too; those of a server alone, the secret, the greeting's time limit and the drain deadline, mean
    /// nothing then, and the largest body and the buffer of streams are the client's own.
    ///
    /// # Errors
    /// If the services cannot be mounted together, or a rule about who may call fits none of them.
    pub fn build(self) -> Result<Services, MountError> {
        let Settings {
            table,
            fault,
            config,
            max_running,
            on_connect,
            rules,
            ..
        } = self.settings;
        if let Some(fault) = fault {
            return Err(fault);
        }
        rules.iter().try_for_each(|rules| rules.check(&table))?;
        let table = Arc::new(table);
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
        Ok(Services::new(table, stack, config, max_running, on_connect))
    }
}

impl<L, C> TryFrom<ServerBuilder<L, C>> for Services
where
    L: Layer<Router> + 'static,
    L::Service: Clone + Send + Sync + 'static,
    C: Layer<L::Service> + Send + Sync + 'static,
    C::Service: Service<Request, Response = Response> + Clone + Send + 'static,
    <C::Service as Service<Request>>::Error: Into<BoxError>,
    <C::Service as Service<Request>>::Future: Send,
{
    type Error = MountError;

    fn try_from(builder: ServerBuilder<L, C>) -> Result<Self, MountError> {
        builder.build()
    }
}

impl<L, C> std::fmt::Debug for ServerBuilder<L, C> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ServerBuilder")
            .field("services", &self.settings.table.names())
            .finish_non_exhaustive()
    }
}
