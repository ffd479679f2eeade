//! From a name to a channel.

use std::time::Duration;

use rpc_core::client::{AttemptError, Channel, ReconnectPolicy, Reconnecting};
use rpc_core::codec::Codec;
use rpc_core::connection::{Config, ConnectError as GreetError};
use rpc_core::server::{MountError, Services};
use transport_pipe::{ConnectOptions, Framing, NameError, Owner, PipeName, connect_link};

/// Where a client connects, and how. A name alone (`&str`, `String`, [`PipeName`]) becomes one with the defaults.
///
/// ```no_run
/// # async fn example() -> Result<(), pipe_rpc::ConnectError> {
/// use std::time::Duration;
///
/// let connect = pipe_rpc::Connect::to("thesaurus").wait_for_server(true).deadline(Duration::from_secs(30));
/// let channel = connect.open().await?;
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
#[must_use = "nothing is connected until it is opened"]
pub struct Connect {
    name: Result<PipeName, NameError>,
    options: ConnectOptions,
    config: Config,
    services: Option<Result<Services, MountError>>,
}

/// Why there is no connection. Nothing was called.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConnectError {
    /// The pipe could not be connected.
    #[error(transparent)]
    Pipe(#[from] transport_pipe::ConnectError),
    /// The pipe was connected, and the two ends did not come together.
    #[error(transparent)]
    Greeting(#[from] GreetError),
    /// The services that this end offers cannot be mounted together.
    #[error(transparent)]
    Mount(#[from] MountError),
}

impl ConnectError {
    /// Whether no further attempt can cure it, because something at one of the two ends must be changed first: a wrong
    /// owner, secret, version or name. A server that is not there is none of these.
    #[must_use]
    pub fn is_lasting(&self) -> bool {
        match self {
            Self::Pipe(error) => error.is_lasting(),
            Self::Greeting(error) => error.is_lasting(),
            Self::Mount(_) => true,
        }
    }

    /// When to come again, if the server said so.
    fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Pipe(_) | Self::Mount(_) => None,
            Self::Greeting(error) => error.retry_after(),
        }
    }
}

impl Connect {
    /// Connects to the server of that name.
    pub fn to<N>(name: N) -> Self
    where
        N: TryInto<PipeName>,
        NameError: From<N::Error>,
    {
        Self {
            name: name.try_into().map_err(NameError::from),
            options: ConnectOptions::default(),
            config: Config::default(),
            services: None,
        }
    }

    /// How long connecting may take in all, the greeting apart; 5 s unless set.
    pub fn deadline(mut self, limit: Duration) -> Self {
        self.options.deadline = limit;
        self
    }

    /// Whether to wait, within the deadline, for a server that is not up yet; no unless set.
    pub fn wait_for_server(mut self, wait: bool) -> Self {
        self.options.wait_for_server = wait;
        self
    }

    /// Whose server it must be; the same user's unless set. It is checked before anything is sent.
    pub fn expect_owner(mut self, owner: Owner) -> Self {
        self.options.expect_owner = owner;
        self
    }

    /// How packets keep their boundaries; the server must use the same.
    pub fn framing(mut self, framing: Framing) -> Self {
        self.options.framing = framing;
        self
    }

    /// The largest packet in bytes, up to [`MAX_PACKET`](transport_pipe::MAX_PACKET); unless set, 96 KiB on Linux and
    /// 64 KiB elsewhere. The lower of both ends' holds.
    pub fn max_packet(mut self, bytes: usize) -> Self {
        self.options.max_packet = bytes;
        self
    }

    /// Offers services to the server, on the same connection; handlers there call them through their
    /// [`Context::peer`](rpc_core::server::Context::peer). It is said as for a server: services, layers, and limits on
    /// what the other end sends, apart from the largest body and the buffer of streams, which are this end's own.
    ///
    /// ```no_run
    /// # #[pipe_rpc::service] trait Host { async fn register(&self, name: String); }
    /// # #[pipe_rpc::service] trait Plugin { async fn run(&self); }
    /// # struct Mine;
    /// # impl Plugin for Mine { async fn run(&self) {} }
    /// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
    /// use pipe_rpc::{Connect, Server};
    ///
    /// let offers = Server::builder().service(PluginServer::new(Mine)).max_running(8);
    /// let host = HostClient::connect(Connect::to("host").serving(offers)).await?;
    /// host.register("mine".into()).await?;
    /// // From here on it is the host that calls.
    /// let why = host.closed().await;
    /// # Ok(())
    /// # }
    /// ```
    pub fn serving<S>(mut self, services: S) -> Self
    where
        S: TryInto<Services>,
        MountError: From<S::Error>,
    {
        self.services = Some(services.try_into().map_err(MountError::from));
        self
    }

    /// Offers the server these codecs, the preferred one first; bincode and JSON unless set. The first that the server
    /// has too is used.
    pub fn codecs(mut self, codecs: impl IntoIterator<Item = Codec>) -> Self {
        self.config.codecs = codecs.into_iter().collect();
        self
    }

    /// What the server asks for, at most 1,024 bytes.
    pub fn secret(mut self, secret: impl Into<Vec<u8>>) -> Self {
        self.config.secret = Some(secret.into());
        self
    }

    /// Takes response bodies of at most this many bytes; 128 MiB unless set. A method's `#[rpc(max_body = "..")]` goes
    /// before it.
    pub fn max_body(mut self, bytes: u64) -> Self {
        self.config.max_body = bytes;
        self
    }

    /// Lets this many bytes of each stream that comes be under way, where an item counts 64 bytes more than it has; 1 or
    /// more, where 0 is taken as 1, and 256 KiB unless set. The last item may go beyond. A method's
    /// `#[rpc(buffer = "..")]` holds for its streams if it is less.
    ///
    /// ```no_run
    /// # #[pipe_rpc::service] trait Log { async fn follow(&self) -> impl futures_util::Stream<Item = String>; }
    /// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
    /// use pipe_rpc::Connect;
    ///
    /// // A reader that pauses for long, and is to find much when it comes back.
    /// let log = LogClient::connect(Connect::to("log").stream_buffer(8 << 20)).await?;
    /// let mut lines = log.follow().await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn stream_buffer(mut self, bytes: u64) -> Self {
        self.config.stream_buffer = bytes;
        self
    }

    /// Gives up on a server that has not greeted within this time; 5 s unless set.
    pub fn handshake_timeout(mut self, limit: Duration) -> Self {
        self.config.handshake_timeout = limit;
        self
    }

    /// Connects.
    ///
    /// # Errors
    /// If the name is none, the server is not there, is another's, or does not let this client in; or if the services
    /// that this end offers cannot be mounted together.
    ///
    /// # Cancel safety
    /// Dropped before it is ready, nothing stays connected.
    pub async fn open(self) -> Result<Channel, ConnectError> {
        self.opener()?.open().await
    }

    /// What calls through a connection that is made anew whenever it is lost. Each attempt is as [`open`](Self::open)
    /// would be; how often there is one is the policy's affair, and so is waiting for a server that is not up.
    /// Nothing is connected before the first call.
    ///
    /// All connections are to speak the codec that the client was made with, so only the preferred one is offered:
    /// bincode unless [`codecs`](Self::codecs) says otherwise.
    ///
    /// ```no_run
    /// # #[pipe_rpc::service] trait Thesaurus { #[rpc(idempotent)] async fn size(&self) -> u64; }
    /// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
    /// use pipe_rpc::{Connect, ReconnectPolicy};
    ///
    /// let caller = Connect::to("thesaurus").reconnecting(ReconnectPolicy::default());
    /// let thesaurus = ThesaurusClient::new(caller);
    /// thesaurus.size().await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn reconnecting(mut self, policy: ReconnectPolicy) -> Reconnecting {
        self.options.wait_for_server = false;
        self.config.codecs.truncate(1);
        let opener = self.opener().map_err(AttemptError::lasting);
        let connect = move || {
            let opener = opener.clone();
            async move { opener?.open().await.map_err(attempt_error) }
        };
        Reconnecting::new(connect, policy)
    }

    /// The codec that is offered first.
    pub(crate) fn preferred_codec(&self) -> Codec {
        self.config.codecs.first().copied().unwrap_or_default()
    }

    fn opener(self) -> Result<Opener, ConnectError> {
        let name = self.name.map_err(transport_pipe::ConnectError::from)?;
        Ok(Opener {
            name,
            options: self.options,
            config: self.config,
            services: self.services.transpose()?,
        })
    }
}

/// What it takes to connect, any number of times.
#[derive(Clone)]
struct Opener {
    name: PipeName,
    options: ConnectOptions,
    config: Config,
    services: Option<Services>,
}

impl Opener {
    async fn open(self) -> Result<Channel, ConnectError> {
        let link = connect_link(&self.name, &self.options).await?;
        Ok(match &self.services {
            Some(services) => Channel::open_serving(link, &self.config, services).await?,
            None => Channel::open(link, &self.config).await?,
        })
    }
}

fn attempt_error(error: ConnectError) -> AttemptError {
    let after = error.retry_after();
    if error.is_lasting() {
        AttemptError::lasting(error)
    } else {
        AttemptError::passing(error).with_retry_after(after)
    }
}

impl From<&str> for Connect {
    fn from(name: &str) -> Self {
        Self::to(name)
    }
}

impl From<String> for Connect {
    fn from(name: String) -> Self {
        Self::to(name.as_str())
    }
}

impl From<&String> for Connect {
    fn from(name: &String) -> Self {
        Self::to(name.as_str())
    }
}

impl From<PipeName> for Connect {
    fn from(name: PipeName) -> Self {
        Self::to(name)
    }
}

/// What generated clients connect with.
///
/// # Errors
/// As [`Connect::open`].
///
/// # Cancel safety
/// As [`Connect::open`].
pub async fn connect(target: impl Into<Connect>) -> Result<Channel, ConnectError> {
    target.into().open().await
}
