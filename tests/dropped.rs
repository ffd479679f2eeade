//! Calls of every kind, dropped at every poll at the client, dropped at every poll at the server, and cancelled in every
//! await of their handlers. Afterwards the connection lives, other calls are right, and every credit is back.

#[expect(unreachable_pub, dead_code, reason = "each test file uses a part")]
mod support;

use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use futures_util::future::join_all;
use futures_util::stream::{self, Stream, StreamExt};
use pipe_rpc::{Caller, Channel, Config, Context, Server, ServerBuilder, Streaming};
use rpc_core::testing::{
    Faults, Handlers, Lane, Moment, assert_whole, cancel_at_every_handler_poll, connect, drop_at,
    drop_at_every_poll, drop_handler_at_every_poll, serve,
};
use support::Gauge;
use tokio::task::yield_now;
use tower::ServiceBuilder;
use tower::buffer::BufferLayer;
use tower::limit::ConcurrencyLimitLayer;
use tower::timeout::TimeoutLayer;

/// How many calls of depth 0 a connection of these tests may have open.
const CALLS: u32 = 4;

/// How many bytes of large bodies.
const WINDOW: u64 = 100_000;

/// More than a pipe holds, and more than the window.
const LARGE: usize = 400_000;

/// A limit that no call here comes to.
const LONG: Duration = Duration::from_secs(60);

#[pipe_rpc::service]
trait Subject {
    async fn small(&self, text: String) -> String;
    async fn take(&self, bytes: Bytes) -> u64;
    async fn give(&self, size: u64) -> Bytes;
    #[rpc(oneway)]
    async fn touch(&self);
    #[rpc(oneway)]
    async fn touch_bytes(&self, bytes: Bytes);
    /// Calls another server, twice.
    async fn nested(&self, text: String) -> String;
    /// Calls its caller, twice.
    async fn call_back(&self, cx: &Context, text: String) -> String;
    #[rpc(buffer = "1KiB")]
    async fn download(&self, items: u64, size: u64) -> impl Stream<Item = Bytes>;
    #[rpc(buffer = "1KiB")]
    async fn upload(&self, items: Streaming<Bytes>) -> u64;
    #[rpc(buffer = "1KiB")]
    async fn both_ways(&self, items: Streaming<Bytes>) -> impl Stream<Item = u64>;
    /// Hands the server's end of the connection over to the test.
    async fn meet(&self, cx: &Context);
    /// Runs until the test releases it.
    async fn hold(&self, bytes: Bytes) -> u64;
}

/// Has an await before and one after whatever it does.
#[derive(Clone, Default)]
struct Handling {
    gauge: Gauge,
    /// Where `nested` calls.
    other: Option<SubjectClient>,
    met: Arc<Mutex<Option<Channel>>>,
}

async fn length(mut items: Streaming<Bytes>) -> u64 {
    let mut length = 0;
    while let Some(Ok(item)) = items.next().await {
        length += item.len() as u64;
        yield_now().await;
    }
    length
}

impl Subject for Handling {
    async fn small(&self, text: String) -> String {
        let _here = self.gauge.enter();
        yield_now().await;
        yield_now().await;
        text
    }
    async fn take(&self, bytes: Bytes) -> u64 {
        let _here = self.gauge.enter();
        yield_now().await;
        assert!(bytes.iter().all(|byte| *byte == 7), "a torn body");
        bytes.len() as u64
    }
    async fn give(&self, size: u64) -> Bytes {
        let _here = self.gauge.enter();
        yield_now().await;
        vec![7; usize::try_from(size).unwrap()].into()
    }
    async fn touch(&self) {
        let _here = self.gauge.enter();
        yield_now().await;
    }
    async fn touch_bytes(&self, bytes: Bytes) {
        let _here = self.gauge.enter();
        yield_now().await;
        assert!(bytes.iter().all(|byte| *byte == 7), "a torn body");
    }
    async fn nested(&self, text: String) -> String {
        let _here = self.gauge.enter();
        let other = self.other.as_ref().expect("this server has another");
        let once = other.small(text).await.unwrap();
        other.small(once).await.unwrap()
    }
    async fn call_back(&self, cx: &Context, text: String) -> String {
        let _here = self.gauge.enter();
        let caller = cx.peer::<SubjectClient>();
        let once = caller.small(text).await.unwrap();
        caller.small(once).await.unwrap()
    }
    async fn download(&self, items: u64, size: u64) -> impl Stream<Item = Bytes> {
        let here = self.gauge.enter();
        yield_now().await;
        let item = Bytes::from(vec![7; usize::try_from(size).unwrap()]);
        stream::iter(0..items).then(move |_| {
            let _ = &here;
            let item = item.clone();
            async move {
                yield_now().await;
                item
            }
        })
    }
    async fn upload(&self, items: Streaming<Bytes>) -> u64 {
        let _here = self.gauge.enter();
        length(items).await
    }
    async fn both_ways(&self, items: Streaming<Bytes>) -> impl Stream<Item = u64> {
        let here = self.gauge.enter();
        yield_now().await;
        items.filter_map(move |item| {
            let _ = &here;
            async move { Some(item.ok()?.len() as u64) }
        })
    }
    async fn meet(&self, cx: &Context) {
        *self.met.lock().unwrap() = Some(cx.peer_channel());
    }
    async fn hold(&self, bytes: Bytes) -> u64 {
        let _here = self.gauge.enter();
        self.gauge.released().await;
        bytes.len() as u64
    }
}

/// The kinds of calls. A further one is a line here and one in [`make`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Small,
    LargeRequest,
    LargeResponse,
    Oneway,
    LargeOneway,
    Nested,
    CallBack,
    Download,
    LargeDownload,
    Upload,
    LargeUpload,
    BothWays,
}

const KINDS: [Kind; 12] = [
    Kind::Small,
    Kind::LargeRequest,
    Kind::LargeResponse,
    Kind::Oneway,
    Kind::LargeOneway,
    Kind::Nested,
    Kind::CallBack,
    Kind::Download,
    Kind::LargeDownload,
    Kind::Upload,
    Kind::LargeUpload,
    Kind::BothWays,
];

fn blocks(items: usize, size: usize) -> impl Stream<Item = Bytes> + Send + 'static {
    stream::iter(0..items).then(move |_| async move {
        yield_now().await;
        Bytes::from(vec![7; size])
    })
}

/// Makes a call of the kind. Whether it came to its result, which then has to be right.
async fn make<S: Caller>(kind: Kind, client: SubjectClient<S>) -> bool {
    let large = || Bytes::from(vec![7; LARGE]);
    let text = || "as it went".to_owned();
    fn is<T: PartialEq + std::fmt::Debug, E>(result: Result<T, E>, right: T) -> bool {
        let came = result.is_ok();
        result.into_iter().for_each(|result| assert_eq!(result, right));
        came
    }
    match kind {
        Kind::Small => is(client.small(text()).await, text()),
        Kind::LargeRequest => is(client.take(large()).await, LARGE as u64),
        Kind::LargeResponse => is(client.give(LARGE as u64).await, large()),
        Kind::Oneway => client.touch().await.is_ok(),
        Kind::LargeOneway => client.touch_bytes(large()).await.is_ok(),
        Kind::Nested => is(client.nested(text()).await, text()),
        Kind::CallBack => is(client.call_back(text()).await, text()),
        Kind::Download => download(client, 5, 600).await,
        Kind::LargeDownload => download(client, 2, LARGE).await,
        Kind::Upload => is(client.upload(blocks(5, 600)).await, 3000),
        Kind::LargeUpload => is(client.upload(blocks(2, LARGE)).await, 2 * LARGE as u64),
        Kind::BothWays => match client.both_ways(blocks(5, 600)).await {
            Ok(lengths) => {
                lengths
                    .map(|length| length.is_ok_and(|length| length == 600))
                    .collect::<Vec<_>>()
                    .await
                    == [true; 5]
            }
            Err(_) => false,
        },
    }
}

async fn download<S: Caller>(client: SubjectClient<S>, items: u64, size: usize) -> bool {
    let Ok(mut blocks) = client.download(items, size as u64).await else {
        return false;
    };
    let mut count = 0;
    while let Some(block) = blocks.next().await {
        let Ok(block) = block else { return false };
        assert_eq!(block.len(), size);
        count += 1;
    }
    assert_eq!(count, items, "half a stream never looks whole");
    true
}

/// A connection under test, and what its handlers tell.
struct Bench {
    channel: Channel,
    /// The same connection, at the server.
    server_end: Channel,
    client: SubjectClient,
    gauge: Gauge,
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

/// A bench whose server is `$server`, with layers of any type, of what is limited as all are.
macro_rules! bench {
    ($server:ident => $layered:expr) => {{
        let others = Handling::default();
        let other = SubjectClient::new(connect(limited(&others)).await);
        let handling = Handling {
            other: Some(other),
            ..Handling::default()
        };
        let $server = limited(&handling);
        let link = serve($layered).connect().await.unwrap();
        let offers = limited(&others).build().unwrap();
        let channel = Channel::open_serving(link, &Config::default(), &offers)
            .await
            .unwrap();
        Bench::of(channel, handling, others.gauge).await
    }};
}

impl Bench {
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
    async fn assert_well(&self) {
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
    async fn assert_idle(&self) {
        self.gauge.until_running(0).await;
        self.others.until_running(0).await;
        assert_whole(&self.channel).await;
        assert_whole(&self.server_end).await;
    }

    /// Drops the call at every poll at the client.
    async fn drop_calls<S: Caller>(&self, kind: Kind, client: &SubjectClient<S>) {
        let polls = drop_at_every_poll(async || {
            let call = async { assert!(make(kind, client.clone()).await, "{kind:?}") };
            (call, self.assert_well())
        })
        .await;
        assert!(polls > 0);
    }
}

/// Runs the harness for each kind.
async fn each_kind(sweep: impl AsyncFn(Kind)) {
    for kind in KINDS {
        // Shown if it fails.
        println!("{kind:?}");
        sweep(kind).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_call_dropped_at_the_client_leaves_nothing_behind() {
    let bench = bench!(server => server);
    each_kind(async |kind| bench.drop_calls(kind, &bench.client).await).await;
}

#[tokio::test(start_paused = true)]
async fn a_call_dropped_at_the_client_of_a_layered_server_leaves_nothing_behind() {
    let bench = bench!(server => server
        .layer(TimeoutLayer::new(LONG))
        .layer(BufferLayer::new(16))
        .connection_layer(ConcurrencyLimitLayer::new(CALLS as usize))
        .max_running(CALLS as usize));
    each_kind(async |kind| bench.drop_calls(kind, &bench.client).await).await;
}

#[tokio::test(start_paused = true)]
async fn a_call_dropped_in_a_layer_of_the_client_leaves_nothing_behind() {
    let bench = bench!(server => server);
    let stack = || {
        ServiceBuilder::new()
            .timeout(LONG)
            .buffer(16)
            .concurrency_limit(2)
            .service(bench.channel.clone())
    };
    each_kind(async |kind| bench.drop_calls(kind, &SubjectClient::new(stack())).await).await;
}

#[tokio::test(start_paused = true)]
async fn a_call_with_a_deadline_dropped_at_the_client_leaves_nothing_behind() {
    let bench = bench!(server => server);
    let client = bench.client.clone().with_timeout(LONG);
    each_kind(async |kind| bench.drop_calls(kind, &client).await).await;
}

#[tokio::test(start_paused = true)]
async fn a_handler_dropped_at_the_server_leaves_nothing_behind() {
    let handlers = Handlers::new();
    let bench = bench!(server => server.layer(handlers.clone()));
    each_kind(async |kind| {
        let polls = drop_handler_at_every_poll(&handlers, async || {
            (make(kind, bench.client.clone()), bench.assert_well())
        })
        .await;
        assert!(polls > 1, "{kind:?} has awaits");
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_call_cancelled_in_any_await_of_its_handler_leaves_nothing_behind() {
    let handlers = Handlers::new();
    let bench = bench!(server => server.layer(handlers.clone()));
    each_kind(async |kind| {
        let awaits = cancel_at_every_handler_poll(&handlers, async || {
            (make(kind, bench.client.clone()), bench.assert_well())
        })
        .await;
        // A oneway call may have ended before its handler is held.
        let oneway = matches!(kind, Kind::Oneway | Kind::LargeOneway);
        assert!(awaits > 0 || oneway, "{kind:?} has awaits");
    })
    .await;
}

/// A bench whose client's link has the faults in what it sends and in what it receives.
async fn faulty_bench(outgoing: Faults, incoming: Faults) -> (Bench, Lane) {
    let handling = Handling::default();
    let link = serve(limited(&handling)).connect().await.unwrap();
    let (link, lane) = outgoing.outgoing(link);
    let (link, _) = incoming.incoming(link);
    let channel = Channel::open(link, &Config::default()).await.unwrap();
    (Bench::of(channel, handling, Gauge::default()).await, lane)
}

/// Those that need no other server and no services of the client's.
fn kinds_alone() -> impl Iterator<Item = Kind> {
    KINDS
        .into_iter()
        .filter(|kind| !matches!(kind, Kind::Nested | Kind::CallBack))
}

#[tokio::test(start_paused = true)]
async fn a_call_dropped_over_a_slow_link_leaves_nothing_behind() {
    let slow = |millis| Faults::new().delay(Duration::from_millis(millis));
    let (bench, _) = faulty_bench(slow(2), slow(3)).await;
    for kind in kinds_alone() {
        bench.drop_calls(kind, &bench.client).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_call_dropped_before_the_pipe_took_anything_of_it_leaves_nothing_behind() {
    let (bench, to_server) = faulty_bench(Faults::new(), Faults::new()).await;
    for kind in kinds_alone() {
        drop_at_every_poll(async || {
            to_server.stall();
            // The packet that waits for the pipe is this one's, so the other call is in none yet.
            let client = bench.client.clone();
            let first = tokio::spawn(async move { client.small("first".into()).await });
            yield_now().await;
            let resume = async {
                for _ in 0..3 {
                    yield_now().await;
                }
                to_server.resume();
            };
            let call = async { assert!(make(kind, bench.client.clone()).await) };
            let check = async {
                to_server.resume();
                assert_eq!(first.await.unwrap().unwrap(), "first");
                bench.assert_well().await;
            };
            (async { tokio::join!(call, resume) }, check)
        })
        .await;
    }
}

/// Lets calls that are held end, after so many turns of whoever else runs.
async fn release_later(gauge: Gauge) {
    for _ in 0..5 {
        yield_now().await;
    }
    gauge.release();
}

#[tokio::test(start_paused = true)]
async fn a_call_dropped_while_it_waits_for_credit_leaves_nothing_behind() {
    let bench = bench!(server => server);
    each_kind(async |kind| {
        drop_at_every_poll(async || {
            bench.gauge.hold_again();
            let holding: Vec<_> = (0..CALLS)
                .map(|_| {
                    let client = bench.client.clone();
                    tokio::spawn(async move { client.hold(Bytes::new()).await })
                })
                .collect();
            bench.gauge.until_running(CALLS as usize).await;
            tokio::spawn(release_later(bench.gauge.clone()));
            let check = async {
                for held in join_all(holding).await {
                    assert_eq!(held.unwrap(), Ok(0));
                }
                bench.assert_well().await;
            };
            (async { assert!(make(kind, bench.client.clone()).await) }, check)
        })
        .await;
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_body_dropped_while_it_waits_for_the_window_leaves_nothing_behind() {
    let bench = bench!(server => server.max_running(1));
    for kind in [Kind::LargeRequest, Kind::LargeOneway] {
        drop_at_every_poll(async || {
            bench.gauge.hold_again();
            let client = bench.client.clone();
            let running = tokio::spawn(async move { client.hold(Bytes::new()).await });
            bench.gauge.until_running(1).await;
            // Charged, and not begun: it waits behind the one that runs.
            let client = bench.client.clone();
            let charged = tokio::spawn(async move { client.take(vec![7; LARGE].into()).await });
            yield_now().await;
            tokio::spawn(release_later(bench.gauge.clone()));
            let check = async {
                assert_eq!(running.await.unwrap(), Ok(0));
                assert_eq!(charged.await.unwrap(), Ok(LARGE as u64));
                bench.gauge.until_running(0).await;
                assert_whole(&bench.channel).await;
            };
            (async { assert!(make(kind, bench.client.clone()).await) }, check)
        })
        .await;
    }
}

#[tokio::test(start_paused = true)]
async fn calls_dropped_side_by_side_leave_nothing_behind() {
    let bench = bench!(server => server);
    for (one, other) in KINDS.iter().flat_map(|one| KINDS.map(|other| (*one, other))) {
        for polls in [1, 2, 3, 5, 8] {
            let call = |kind| make(kind, bench.client.clone());
            let both = [
                drop_at(Moment::After(polls), call(one)),
                drop_at(Moment::Woken(polls / 2), call(other)),
            ];
            join_all(both).await;
        }
        bench.assert_idle().await;
    }
    bench.assert_well().await;
}
