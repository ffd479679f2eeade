//! Clients that outlive their servers, over real pipes and with real processes: nothing that can be asked again is lost,
//! and nothing else is ever run twice.

#[expect(unreachable_pub, dead_code, reason = "each test file uses a part")]
mod support;

use std::collections::HashMap;
use std::error::Error as _;
use std::fs::{File, OpenOptions};
use std::io::Write as _;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use pipe_rpc::{
    BindError, Caller, Codec, Connect, ConnectError, ConnectionState, GreetError, Outcome, PipeServer,
    ReconnectError, ReconnectPolicy, Server,
};
use support::child::Role;
use support::lab::{LabServer, Laboratory};
use support::{LabClient, child, soon, unique_name};
use tokio::sync::{oneshot, watch};
use tokio::task::{JoinHandle, spawn_blocking};
use tower::limit::ConcurrencyLimitLayer;
use tower::timeout::TimeoutLayer;

const CALLERS: u64 = 64;

/// How often the server is replaced by another process.
const RESTARTS: u64 = 5;

#[pipe_rpc::service]
trait Ledger {
    /// The number that is given.
    #[rpc(idempotent)]
    async fn same(&self, number: u64) -> u64;
    /// Enters a number, which must not be there twice.
    async fn enter(&self, number: u64);
}

/// Writes what is entered to a file that outlives the process. Each process has its own, and one handler writes at a
/// time: not every system adds what two write at once.
struct Book(Mutex<File>);

impl Ledger for Book {
    async fn same(&self, number: u64) -> u64 {
        number
    }
    async fn enter(&self, number: u64) {
        // One write of a few bytes: a process that is killed has made it or not.
        let line = format!("{number}\n");
        self.0.lock().unwrap().write_all(line.as_bytes()).unwrap();
        // Long enough that many a server is killed between this and the answer.
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
}

/// The folder of a test's files.
fn path_of_book(name: &str) -> PathBuf {
    std::env::temp_dir().join(format!("pipe-rpc-test-{name}"))
}

/// What this program does when a test has started it as another process.
#[test]
fn child_role() {
    let Some((role, name)) = child::role() else { return };
    let runtime = tokio::runtime::Runtime::new().unwrap();
    match role.as_str() {
        "serve" => {
            child::end_with_parent();
            runtime.block_on(serve(&name, std::future::pending()));
        }
        "serve-until-told" => {
            let (stop, stopped) = oneshot::channel();
            std::thread::spawn(move || {
                child::wait_for_parent();
                let _ = stop.send(());
            });
            runtime.block_on(serve(&name, async { drop(stopped.await) }));
        }
        other => panic!("no such role: {other}"),
    }
}

async fn serve(name: &str, stop: impl Future<Output = ()>) {
    std::fs::create_dir_all(path_of_book(name)).unwrap();
    let file = OpenOptions::new()
        .append(true)
        .create(true)
        .open(path_of_book(name).join(std::process::id().to_string()))
        .unwrap();
    let server = Server::builder().service(LedgerServer::new(Book(Mutex::new(file))));
    let listener = bind(name).await;
    child::tell("ready");
    server.serve_until(listener, stop).await.unwrap();
}

/// Waits for the name, which the last server may still have.
async fn bind(name: &str) -> PipeServer {
    loop {
        match PipeServer::bind(name) {
            Ok(listener) => return listener,
            Err(BindError::NameTaken { .. }) => tokio::task::yield_now().await,
            Err(error) => panic!("{error}"),
        }
    }
}

async fn started(role: &'static str, name: String) -> Role {
    let start = move || {
        let mut server = child::start(role, &name);
        assert_eq!(server.told(), "ready");
        server
    };
    spawn_blocking(start).await.unwrap()
}

/// A policy that leaves nothing to the speed of the machine.
fn patient() -> ReconnectPolicy {
    let attempts = u8::try_from(RESTARTS + 1).unwrap();
    ReconnectPolicy::default()
        .max_wait(support::HANG)
        .max_attempts(attempts)
}

/// Callers that call until they are told to stop.
struct Callers {
    stop: Arc<AtomicBool>,
    answered: watch::Sender<u64>,
    tasks: Vec<JoinHandle<HashMap<u64, Result<(), Outcome>>>>,
}

impl Callers {
    fn start<S: Caller>(client: &LedgerClient<S>) -> Self {
        let (stop, answered) = (Arc::<AtomicBool>::default(), watch::Sender::new(0));
        let numbers = Arc::<AtomicU64>::default();
        let tasks = (0..CALLERS)
            .map(|_| {
                let (client, stop, answered) = (client.clone(), Arc::clone(&stop), answered.clone());
                let numbers = Arc::clone(&numbers);
                tokio::spawn(async move {
                    let mut entered = HashMap::new();
                    while !stop.load(SeqCst) {
                        let number = numbers.fetch_add(1, SeqCst);
                        assert_eq!(client.same(number).await, Ok(number));
                        let result = client.enter(number).await;
                        entered.insert(number, result.map_err(|fault| fault.outcome()));
                        answered.send_modify(|count| *count += 1);
                    }
                    entered
                })
            })
            .collect();
        Self {
            stop,
            answered,
            tasks,
        }
    }

    /// Waits until as many more calls were answered that each caller may have had some.
    async fn until_busy(&self) {
        let mut answered = self.answered.subscribe();
        let enough = *answered.borrow() + 4 * CALLERS;
        soon(answered.wait_for(|count| *count >= enough)).await.unwrap();
    }

    /// What became of every number that was entered.
    async fn ended(self) -> HashMap<u64, Result<(), Outcome>> {
        self.stop.store(true, SeqCst);
        let mut entered = HashMap::new();
        for task in self.tasks {
            entered.extend(soon(task).await.unwrap());
        }
        entered
    }
}

/// How often each number stands in the book, which is removed.
fn read_book(name: &str) -> HashMap<u64, u32> {
    let path = path_of_book(name);
    let mut times = HashMap::new();
    for file in std::fs::read_dir(&path).unwrap() {
        let book = std::fs::read_to_string(file.unwrap().path()).unwrap();
        for line in book.lines() {
            *times.entry(line.parse().unwrap()).or_default() += 1;
        }
    }
    std::fs::remove_dir_all(path).unwrap();
    times
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_killed_under_many_callers_costs_no_idempotent_call_and_runs_no_other_twice() {
    let name = unique_name("reconnect-kill");
    let mut server = started("serve", name.clone()).await;
    let client = LedgerClient::builder(&name)
        .reconnect(patient())
        .connect()
        .await
        .unwrap();
    let callers = Callers::start(&client);
    for _ in 0..RESTARTS {
        callers.until_busy().await;
        server.kill();
        server = started("serve", name.clone()).await;
    }
    callers.until_busy().await;
    let entered = callers.ended().await;
    server.kill();
    let book = read_book(&name);
    assert!(book.values().all(|times| *times == 1), "run twice");
    for (number, result) in entered {
        let is_there = book.contains_key(&number);
        match result {
            Ok(()) => assert!(is_there, "{number} was answered and did not run"),
            Err(Outcome::MayHaveRun) => {}
            Err(other) => panic!("{number}: {other:?}, although there was time for another attempt"),
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_restarted_in_good_order_under_many_callers_costs_no_call() {
    let name = unique_name("reconnect-drain");
    let mut server = started("serve-until-told", name.clone()).await;
    let client = LedgerClient::builder(&name)
        .reconnect(patient())
        .connect()
        .await
        .unwrap();
    let callers = Callers::start(&client);
    for restart in 0..RESTARTS {
        callers.until_busy().await;
        server.go_on();
        // Every other time the next one waits for the name while the old one ends.
        let overlapping = restart % 2 == 0;
        let next = overlapping.then(|| tokio::spawn(started("serve-until-told", name.clone())));
        let ending = spawn_blocking(move || server.ended());
        assert!(soon(ending).await.unwrap().success());
        server = match next {
            Some(next) => soon(next).await.unwrap(),
            None => started("serve-until-told", name.clone()).await,
        };
    }
    callers.until_busy().await;
    let entered = callers.ended().await;
    server.kill();
    let book = read_book(&name);
    assert!(book.values().all(|times| *times == 1), "run twice");
    assert_eq!(entered.len(), book.len());
    assert!(
        entered
            .iter()
            .all(|(number, result)| result.is_ok() && book.contains_key(number))
    );
}

/// Serves a lab in this process until the returned is dropped or sent.
fn serve_lab(name: &str, secret: &str) -> (oneshot::Sender<()>, JoinHandle<()>) {
    let (stop, stopped) = oneshot::channel::<()>();
    let listener = PipeServer::bind(name).unwrap();
    let server = Server::builder()
        .secret(secret)
        .service(LabServer::new(Laboratory::default()));
    let serving = tokio::spawn(async move {
        server
            .serve_until(listener, async { drop(stopped.await) })
            .await
            .unwrap();
    });
    (stop, serving)
}

#[tokio::test]
async fn layers_go_around_what_reconnects() {
    let name = unique_name("reconnect-layers");
    let connect = Connect::to(name.as_str()).secret("open");
    let builder = LabClient::builder(connect)
        .layer(TimeoutLayer::new(support::HANG))
        .reconnect(patient())
        .layer(ConcurrencyLimitLayer::new(4));
    let mut states = builder.states();
    let client = builder.connect_lazy();
    assert!(matches!(states.now(), ConnectionState::Idle));
    for _ in 0..3 {
        let (stop, serving) = serve_lab(&name, "open");
        assert_eq!(
            soon(client.echo("through layers".into())).await.unwrap(),
            "through layers"
        );
        assert!(states.now().is_connected());
        drop(stop);
        soon(serving).await.unwrap();
    }
    drop(client);
    assert!(soon(states.wait_for(|_| false)).await.is_final());
}

#[tokio::test]
async fn a_wrong_secret_ends_the_attempts_of_a_client_that_was_let_in_before() {
    let name = unique_name("reconnect-secret");
    let (stop, serving) = serve_lab(&name, "open");
    let connect = Connect::to(name.as_str()).secret("open");
    let client = LabClient::builder(connect)
        .reconnect(patient())
        .connect()
        .await
        .unwrap();
    drop(stop);
    soon(serving).await.unwrap();
    let (_stop, _serving) = serve_lab(&name, "sesame");
    let fault = soon(client.echo("let me in".into())).await.unwrap_err();
    assert_eq!(fault.outcome(), Outcome::NotSent);
    let error: &ReconnectError = fault.source().unwrap().downcast_ref().unwrap();
    assert!(matches!(error, ReconnectError::Lasting(_)), "{error:?}");
    let cause: &ConnectError = error.source().unwrap().downcast_ref().unwrap();
    assert!(
        matches!(cause, ConnectError::Greeting(GreetError::Rejected { .. })),
        "{cause:?}"
    );
}

#[tokio::test]
async fn every_connection_speaks_the_codec_that_the_client_was_made_with() {
    let name = unique_name("reconnect-codec");
    for codec in [Codec::Json, Codec::Bincode] {
        let connect = || Connect::to(name.as_str()).codecs([codec, Codec::Bincode, Codec::Json]);
        let client = LabClient::builder(connect()).reconnect(patient()).connect_lazy();
        for _ in 0..2 {
            let (stop, serving) = serve_lab(&name, "");
            assert_eq!(soon(client.echo("again".into())).await.unwrap(), "again");
            let once = LabClient::builder(connect()).connect().await.unwrap();
            assert_eq!(once.caller().codec(), codec);
            assert_eq!(soon(once.echo("once".into())).await.unwrap(), "once");
            drop((once, stop));
            soon(serving).await.unwrap();
        }
    }
}

#[tokio::test]
async fn a_name_that_is_none_is_told_at_once() {
    let error = LabClient::builder("a/b")
        .reconnect(patient())
        .connect()
        .await
        .unwrap_err();
    assert!(matches!(error, ReconnectError::Lasting(_)), "{error:?}");
    let cause: &ConnectError = error.source().unwrap().downcast_ref().unwrap();
    assert!(cause.is_lasting() && cause.to_string().contains("a/b"), "{cause}");
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_server_that_frames_otherwise_is_told_at_once() {
    let lab = support::lab::serve("reconnect-framing");
    let connect = Connect::to(lab.name.as_str()).framing(pipe_rpc::Framing::Prefixed);
    let error = LabClient::builder(connect)
        .reconnect(patient())
        .connect()
        .await
        .unwrap_err();
    assert!(matches!(error, ReconnectError::Lasting(_)), "{error:?}");
}

#[tokio::test]
async fn the_first_connection_is_waited_for_as_long_as_the_policy_says() {
    let name = unique_name("reconnect-first");
    let hasty = patient().max_wait(Duration::ZERO);
    let error = LabClient::builder(&name)
        .reconnect(hasty)
        .connect()
        .await
        .unwrap_err();
    assert!(matches!(error, ReconnectError::TimedOut { .. }), "{error:?}");
    let connecting = LabClient::builder(&name).reconnect(patient()).connect();
    let connecting = tokio::spawn(async move { connecting.await.map(drop) });
    tokio::task::yield_now().await;
    let _serving = serve_lab(&name, "");
    soon(connecting).await.unwrap().unwrap();
}

#[tokio::test]
async fn a_builder_without_reconnecting_connects_once() {
    let name = unique_name("reconnect-once");
    let error = LabClient::builder(&name).connect().await.unwrap_err();
    assert!(!error.is_lasting(), "{error}");
    let lab = support::lab::serve("reconnect-plain");
    let builder = LabClient::builder(&lab.name).layer(ConcurrencyLimitLayer::new(1));
    let client = soon(builder.named("Lab").connect()).await.unwrap();
    assert_eq!(soon(client.echo("once".into())).await.unwrap(), "once");
    let elsewhere = LabClient::builder(&lab.name)
        .named("Elsewhere")
        .connect()
        .await
        .unwrap();
    let fault = soon(elsewhere.echo("nobody".into())).await.unwrap_err();
    assert_eq!(fault.reason(), pipe_rpc::Reason::UnknownService);
}
