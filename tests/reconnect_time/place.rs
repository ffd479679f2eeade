//! A place where servers come and go.

use std::io;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures_util::StreamExt as _;
use pipe_rpc::transport::memory::{MemoryConnector, listener};
use pipe_rpc::{
    AttemptError, BoxError, Channel, Config, Fault, ReconnectError, ReconnectPolicy, Reconnecting, Request,
    Server, ServerBuilder, Streaming,
};
use tokio::sync::{oneshot, watch};
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep};
use tower::filter::Filter;
use tower::layer::layer_fn;

use crate::gauge::Gauge;
use crate::soon;

#[pipe_rpc::service]
pub(crate) trait Shop {
    /// Answers at once.
    #[rpc(idempotent)]
    async fn look(&self) -> u32;
    /// Runs until the test releases it.
    #[rpc(idempotent)]
    async fn look_long(&self) -> u32;
    /// Answers at once, and must not run twice.
    async fn buy(&self) -> u32;
    /// Runs until the test releases it, and must not run twice.
    async fn buy_long(&self) -> u32;
    /// How many items there were; it begins when the test releases it.
    async fn count(&self, items: Streaming<u32>) -> usize;
}

#[derive(Clone, Default)]
struct Shopkeeper(Gauge);

impl Shop for Shopkeeper {
    async fn look(&self) -> u32 {
        let _here = self.0.enter();
        1
    }
    async fn look_long(&self) -> u32 {
        let _here = self.0.enter();
        self.0.released().await;
        2
    }
    async fn buy(&self) -> u32 {
        let _here = self.0.enter();
        3
    }
    async fn buy_long(&self) -> u32 {
        let _here = self.0.enter();
        self.0.released().await;
        4
    }
    async fn count(&self, items: Streaming<u32>) -> usize {
        let _here = self.0.enter();
        self.0.released().await;
        items.count().await
    }
}

/// Where clients look for a server.
#[derive(Clone)]
pub(crate) struct Place(Arc<Inside>);

struct Inside {
    server: Mutex<Result<MemoryConnector, bool>>,
    /// How long an attempt takes.
    takes: Mutex<Duration>,
    attempts: Mutex<Vec<Instant>>,
    /// How many attempts are being made.
    trying: watch::Sender<usize>,
}

/// A server, until it is killed or stopped.
pub(crate) struct Serving {
    pub(crate) gauge: Gauge,
    stop: oneshot::Sender<()>,
    task: JoinHandle<()>,
    /// A listener ends when nobody can connect to it any more.
    _connector: MemoryConnector,
}

/// A place that nobody serves at.
pub(crate) fn empty() -> Place {
    Place(Arc::new(Inside {
        server: Mutex::new(Err(false)),
        takes: Mutex::default(),
        attempts: Mutex::default(),
        trying: watch::Sender::new(0),
    }))
}

/// A policy without chance.
pub(crate) fn policy() -> ReconnectPolicy {
    ReconnectPolicy::default().jitter(false)
}

impl Place {
    pub(crate) fn serve(&self) -> Serving {
        self.serve_with(|server| server)
    }

    /// Serves here, in the place of whoever did.
    pub(crate) fn serve_with(&self, configure: impl FnOnce(ServerBuilder) -> ServerBuilder) -> Serving {
        self.serve_through(configure(Server::builder()), Ok)
    }

    /// Serves here, and has each request pass `admit` before.
    pub(crate) fn serve_through(
        &self,
        server: ServerBuilder,
        admit: impl Fn(Request) -> Result<Request, Fault> + Clone + Send + Sync + 'static,
    ) -> Serving {
        let gauge = Gauge::default();
        let admitting = layer_fn(move |inner| {
            let admit = admit.clone();
            Filter::new(inner, move |request| admit(request).map_err(BoxError::from))
        });
        let server = server
            .layer(admitting)
            .service(ShopServer::new(Shopkeeper(gauge.clone())));
        let (listener, connector) = listener();
        let (stop, stopped) = oneshot::channel::<()>();
        let task = tokio::spawn(async move {
            let signal = async { drop(stopped.await) };
            server.serve_until(listener, signal).await.unwrap();
        });
        *self.0.server.lock().unwrap() = Ok(connector.clone());
        Serving {
            gauge,
            stop,
            task,
            _connector: connector,
        }
    }

    /// From now on nobody serves here.
    pub(crate) fn down(&self) {
        *self.0.server.lock().unwrap() = Err(false);
    }

    /// From now on attempts fail by what no further one can cure.
    pub(crate) fn refuse_for_good(&self) {
        *self.0.server.lock().unwrap() = Err(true);
    }

    /// From now on each attempt takes so long.
    pub(crate) fn takes(&self, time: Duration) {
        *self.0.takes.lock().unwrap() = time;
    }

    /// When attempts were begun.
    pub(crate) fn attempts(&self) -> Vec<Instant> {
        self.0.attempts.lock().unwrap().clone()
    }

    /// Waits until that many attempts are being made.
    pub(crate) async fn until_trying(&self, count: usize) {
        let mut trying = self.0.trying.subscribe();
        soon(trying.wait_for(|trying| *trying == count)).await.unwrap();
    }

    pub(crate) fn caller(&self, policy: ReconnectPolicy) -> Reconnecting {
        let place = self.clone();
        Reconnecting::new(
            move || {
                let place = place.clone();
                async move { place.connect().await }
            },
            policy,
        )
    }

    pub(crate) fn client(&self, policy: ReconnectPolicy) -> ShopClient<Reconnecting> {
        ShopClient::new(self.caller(policy))
    }

    /// The channel that an attempt makes.
    pub(crate) async fn connect(&self) -> Result<Channel, AttemptError> {
        self.0.attempts.lock().unwrap().push(Instant::now());
        let _trying = Trying::new(&self.0.trying);
        let takes = *self.0.takes.lock().unwrap();
        sleep(takes).await;
        let server = self.0.server.lock().unwrap().clone();
        match server {
            Ok(connector) => {
                let link = connector.connect().await.map_err(AttemptError::passing)?;
                Ok(Channel::open(link, &Config::default()).await?)
            }
            Err(true) => Err(AttemptError::lasting("the owner is another")),
            Err(false) => Err(AttemptError::passing(io::Error::from(io::ErrorKind::NotFound))),
        }
    }
}

struct Trying<'a>(&'a watch::Sender<usize>);

impl<'a> Trying<'a> {
    fn new(count: &'a watch::Sender<usize>) -> Self {
        count.send_modify(|trying| *trying += 1);
        Self(count)
    }
}

impl Drop for Trying<'_> {
    fn drop(&mut self) {
        self.0.send_modify(|trying| *trying -= 1);
    }
}

impl Serving {
    /// Ends it without a word.
    pub(crate) async fn kill(self) {
        self.task.abort();
        let _ = self.task.await;
    }

    /// Has it end what runs and refuse what comes, and waits until that is done.
    pub(crate) async fn drain(self) {
        self.stop.send(()).unwrap();
        soon(self.task).await.unwrap();
    }
}

/// What is behind a fault of a client that reconnects.
pub(crate) fn reconnect_error(fault: &Fault) -> &ReconnectError {
    std::error::Error::source(fault)
        .and_then(|source| source.downcast_ref())
        .unwrap()
}
