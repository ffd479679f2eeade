//! The echo over pipe-rpc: generated client, real pipe, no layers.

use std::process::Stdio;
use std::time::{Duration, Instant};

use bytes::Bytes;
use pipe_rpc::{Connect, PipeServer, Server};
use tokio::runtime::Runtime;
use tokio::task::JoinSet;

use super::server_process::{ServerProcess, done};
use super::{CALLERS, LARGE, Row, runtime};

pub(super) const ROLE: &str = "pipe-rpc";

#[pipe_rpc::service]
trait Echo {
    async fn small(&self, value: [u64; 8]) -> [u64; 8];
    async fn large(&self, value: Bytes) -> Bytes;
}

struct Echoer;

impl Echo for Echoer {
    async fn small(&self, value: [u64; 8]) -> [u64; 8] {
        value
    }
    async fn large(&self, value: Bytes) -> Bytes {
        value
    }
}

/// Serves under the name that the first argument gives, until standard input ends.
pub(super) fn serve() -> ! {
    let name = std::env::args().nth(1).expect("the parent gives a name");
    std::thread::spawn(|| {
        let _ = std::io::copy(&mut std::io::stdin(), &mut std::io::sink());
        done()
    });
    runtime().block_on(async {
        let listener = PipeServer::bind(name.as_str()).expect("the name is free");
        let server = Server::builder().service(EchoServer::new(Echoer));
        server.serve(listener).await.expect("the listener lives");
    });
    done()
}

pub(super) fn one() -> Box<dyn Row> {
    Box::new(Calls::start("one", |client, calls| {
        Box::pin(one_by_one(client, calls))
    }))
}

/// The same from the future that the runtime blocks on. tokio looks for events once more before it polls that one, so
/// this is a system call dearer than from a task.
pub(super) fn one_in_block_on() -> Box<dyn Row> {
    let mut calls = Calls::start("root", |client, calls| Box::pin(one_by_one(client, calls)));
    calls.spawns = false;
    Box::new(calls)
}

pub(super) fn many() -> Box<dyn Row> {
    Box::new(Calls::start("many", |client, calls| {
        Box::pin(side_by_side(client, calls))
    }))
}

pub(super) fn large() -> Box<dyn Row> {
    Box::new(Calls::start("large", |client, calls| {
        Box::pin(large_ones(client, calls))
    }))
}

type Running = std::pin::Pin<Box<dyn Future<Output = Duration> + Send>>;

struct Calls {
    runtime: Runtime,
    client: EchoClient,
    run: fn(EchoClient, u64) -> Running,
    spawns: bool,
    _server: ServerProcess,
}

impl Calls {
    fn start(row: &str, run: fn(EchoClient, u64) -> Running) -> Self {
        let name = format!("bench-{row}-{}", std::process::id());
        let server = ServerProcess::start(ROLE, &[&name], Stdio::piped());
        let runtime = runtime();
        let target = Connect::to(name.as_str()).wait_for_server(true);
        let client = runtime
            .block_on(EchoClient::connect(target))
            .expect("the child serves");
        Self {
            runtime,
            client,
            run,
            spawns: true,
            _server: server,
        }
    }
}

impl Row for Calls {
    fn run(&mut self, calls: u64) -> Duration {
        let calling = (self.run)(self.client.clone(), calls);
        if self.spawns {
            let task = self.runtime.spawn(calling);
            self.runtime.block_on(task).expect("the calls do not panic")
        } else {
            self.runtime.block_on(calling)
        }
    }
}

async fn one_by_one(client: EchoClient, calls: u64) -> Duration {
    let start = Instant::now();
    for call in 0..calls {
        let echoed = client.small([call; 8]).await.expect("an echo");
        assert_eq!(echoed[7], call);
    }
    start.elapsed()
}

async fn side_by_side(client: EchoClient, calls: u64) -> Duration {
    let mut callers = JoinSet::new();
    let start = Instant::now();
    for caller in 0..CALLERS {
        // The calls that do not divide are the first callers'.
        let calls = calls / CALLERS + u64::from(caller < calls % CALLERS);
        callers.spawn(one_by_one(client.clone(), calls));
    }
    callers.join_all().await;
    start.elapsed()
}

async fn large_ones(client: EchoClient, calls: u64) -> Duration {
    let value = Bytes::from(vec![7; LARGE]);
    let start = Instant::now();
    for _ in 0..calls {
        let echoed = client.large(value.clone()).await.expect("an echo");
        assert_eq!(echoed.len(), LARGE);
    }
    start.elapsed()
}
