//! Building a client: where it connects, whether it does so again, and the layers that its calls go through.

use std::marker::PhantomData;

use rpc_core::client::{Caller, Channel, ConnectionStates, ReconnectError, ReconnectPolicy, Reconnecting};
use tower::layer::util::{Identity, Stack};
use tower::{Layer, ServiceBuilder};

use crate::__private::ClientOver;
use crate::{Codec, Connect, ConnectError};

/// Builds a client of type `C`; every generated client has a function `builder` that begins one.
///
/// ```
/// use std::time::Duration;
/// use pipe_rpc::{PipeServer, ReconnectPolicy, Server};
///
/// #[pipe_rpc::service]
/// trait Thesaurus {
///     /// Safe to ask again, so a lost connection is not the caller's affair.
///     #[rpc(idempotent)]
///     async fn size(&self) -> u64;
/// }
/// # struct Small;
/// # impl Thesaurus for Small { async fn size(&self) -> u64 { 3 } }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let name = format!("doc-builder-{}", std::process::id());
/// # let name = name.as_str();
/// # tokio::spawn(Server::builder().service(ThesaurusServer::new(Small)).serve(PipeServer::bind(name)?));
/// let thesaurus = ThesaurusClient::builder(name)
///     .reconnect(ReconnectPolicy::default())
///     .layer(tower::limit::ConcurrencyLimitLayer::new(8))
///     .connect()
///     .await?;
/// assert_eq!(thesaurus.size().await?, 3);
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
#[must_use = "nothing is connected until it says so"]
pub struct ClientBuilder<C, L = Identity, W = Connect> {
    way: W,
    layers: ServiceBuilder<L>,
    name: Option<String>,
    /// Unless the connection is made first, and tells.
    codec: Codec,
    client: PhantomData<fn() -> C>,
}

impl<C> ClientBuilder<C> {
    /// What generated clients begin with.
    pub(crate) fn new(target: Connect) -> Self {
        Self {
            codec: target.preferred_codec(),
            way: target,
            layers: ServiceBuilder::new(),
            name: None,
            client: PhantomData,
        }
    }
}

impl<C, L, W> ClientBuilder<C, L, W> {
    /// Puts a tower layer around the calls. The first one added is the outermost; reconnecting is inside of all.
    pub fn layer<T>(self, layer: T) -> ClientBuilder<C, Stack<T, L>, W> {
        ClientBuilder {
            way: self.way,
            layers: self.layers.layer(layer),
            name: self.name,
            codec: self.codec,
            client: PhantomData,
        }
    }

    /// Calls the service that is mounted under another name.
    pub fn named(mut self, name: impl Into<String>) -> Self {
        self.name = Some(name.into());
        self
    }
}

impl<C: ClientOver, L> ClientBuilder<C, L> {
    /// Has the client outlive its server: see [`ReconnectPolicy`] and [`Reconnecting`].
    pub fn reconnect(self, policy: ReconnectPolicy) -> ClientBuilder<C, L, Reconnecting> {
        ClientBuilder {
            way: self.way.reconnecting(policy),
            layers: self.layers,
            name: self.name,
            codec: self.codec,
            client: PhantomData,
        }
    }

    /// Connects, once.
    ///
    /// # Errors
    /// As [`Connect::open`].
    ///
    /// # Cancel safety
    /// Dropped before it is ready, nothing stays connected.
    pub async fn connect(self) -> Result<C::Client<L::Service>, ConnectError>
    where
        L: Layer<Channel>,
        L::Service: Caller,
    {
        let channel = self.way.open().await?;
        let codec = channel.codec();
        Ok(C::over(self.layers.service(channel), self.name.as_deref(), codec))
    }
}

impl<C: ClientOver, L> ClientBuilder<C, L, Reconnecting> {
    /// Watches the state of the connection, also once the client is built.
    #[must_use]
    pub fn states(&self) -> ConnectionStates {
        self.way.states()
    }

    /// Waits for the first connection as a call would: a server that is not up yet is waited for, at most for the
    /// policy's `max_wait`.
    ///
    /// # Errors
    /// If there is no connection within that time, the policy gives up, or no further attempt can help. The source is
    /// the [`ConnectError`] of the last attempt.
    ///
    /// # Cancel safety
    /// Dropped before it is ready, nothing stays connected.
    pub async fn connect(self) -> Result<C::Client<L::Service>, ReconnectError>
    where
        L: Layer<Reconnecting>,
        L::Service: Caller,
    {
        self.way.connected().await?;
        Ok(self.connect_lazy())
    }

    /// The client at once; it connects when it is first called.
    #[must_use]
    pub fn connect_lazy(self) -> C::Client<L::Service>
    where
        L: Layer<Reconnecting>,
        L::Service: Caller,
    {
        C::over(self.layers.service(self.way), self.name.as_deref(), self.codec)
    }
}
