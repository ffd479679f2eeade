//! A connection to drop calls of, and what has to be so of it afterwards.

use bytes::Bytes;
use futures_util::future::join_all;
use pipe_rpc::{Caller, Channel, Config, Server, ServerBuilder};
use rpc_core::testing::{Faults, Lane, assert_whole, connect, drop_at_every_poll, serve};
use rpc_core::transport::memory::MemoryConnector;

use super::kinds::{Kind, make};
use super::subject::{Handling, SubjectClient, SubjectServer};
use super::support::Gauge;

/// How many calls of depth 0 a connection of these tests may have open.
pub(super) const CALLS: u32 = 4;

/// How many bytes of large bodies.
const WINDOW: u64 = 100_000;

/// A connection under test, and what its handlers tell.
pub(super) struct Bench {
    pub(super) channel: Channel,
    /// The same connection, at the server.
    server_end: Channel,
    pub(super) client: SubjectClient,
    pub(super) gauge: Gauge,
    /// The other ends' handlers: that of the server that `nested` calls, and the client's own.
    others: Gauge,
}

/// What a server of these tests grants.
fn limited(handling: &Handling) -> ServerBuilder {
    Server::builder()
        .service(SubjectServer::new(handling.clone()))
        .max_calls(CALLS)
        .window(WINDOW)
}

impl Bench {
    /// A bench of what is limited as all are, with the layers that `serve` gives it.
    pub(super) async fn new(serve: impl FnOnce(ServerBuilder) -> MemoryConnector) -> Self {
        let others = Handling::default();
        let other = SubjectClient::new(connect(limited(&others)).await);
        let handling = Handling {
            other: Some(other),
            ..Handling::default()
        };
        let link = serve(limited(&handling)).connect().await.unwrap();
        let offers = limited(&others).build().unwrap();
        let channel = Channel::open_serving(link, &Config::default(), &offers)
            .await
            .unwrap();
        Self::of(channel, handling, others.gauge).await
    }

    async fn of(channel: Channel, handling: Handling, others: Gauge) -> Self {
        let client = SubjectClient::new(channel.clone());
        client.meet().await.unwrap();
        let server_end = handling.met.lock().unwrap().take();
        Self {
            channel,
            server_end: server_end.expect("the server has met its client"),
            client,
            gauge: handling.gauge,
            others,
        }
    }

    /// The connection lives, other calls are right, and every credit is back: each call that was granted can run beside
    /// all others, and the window takes what it always took.
    pub(super) async fn assert_well(&self) {
        assert_eq!(self.client.small("well".into()).await.unwrap(), "well");
        self.assert_idle().await;
        self.gauge.hold_again();
        let holding = join_all((0..CALLS).map(|_| self.client.hold(Bytes::new())));
        let release = async {
            self.gauge.until_running(CALLS as usize).await;
            self.gauge.release();
        };
        let (held, ()) = tokio::join!(holding, release);
        assert!(held.iter().all(Result::is_ok), "{held:?}");
        let window = Bytes::from(vec![7; WINDOW as usize]);
        assert_eq!(self.client.take(window).await.unwrap(), WINDOW);
        self.assert_idle().await;
    }

    /// Nothing runs, and nothing is open.
    pub(super) async fn assert_idle(&self) {
        self.gauge.until_running(0).await;
        self.others.until_running(0).await;
        assert_whole(&self.channel).await;
        assert_whole(&self.server_end).await;
    }

    /// Drops the call at every poll at the client.
    pub(super) async fn drop_calls<S: Caller>(&self, kind: Kind, client: &SubjectClient<S>) {
        let polls = drop_at_every_poll(async || {
            let call = async { assert!(make(kind, client.clone()).await, "{kind:?}") };
            (call, self.assert_well())
        })
        .await;
        assert!(polls > 0);
    }
}

/// A bench whose client's link has the faults in what it sends and in what it receives.
pub(super) async fn faulty_bench(outgoing: Faults, incoming: Faults) -> (Bench, Lane) {
    let handling = Handling::default();
    let link = serve(limited(&handling)).connect().await.unwrap();
    let (link, lane) = outgoing.outgoing(link);
    let (link, _) = incoming.incoming(link);
    let channel = Channel::open(link, &Config::default()).await.unwrap();
    (Bench::of(channel, handling, Gauge::default()).await, lane)
}
