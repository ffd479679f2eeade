//! How many system calls a call costs: at each end it sends once, receives once and waits once; and a connection. Counted,
//! so it does not depend on the computer.
#![cfg(target_os = "linux")]

use std::future::Future;
use std::sync::mpsc;

use pipe_rpc::{Connect, PipeServer, Server};
use tokio::runtime::{Builder, Runtime};
use tokio::sync::oneshot;
use transport_pipe::SystemCalls;

const CALLS: u64 = 1000;

#[pipe_rpc::service]
trait Echo {
    async fn echo(&self, value: [u64; 8]) -> [u64; 8];
}

struct Echoer;

impl Echo for Echoer {
    async fn echo(&self, value: [u64; 8]) -> [u64; 8] {
        value
    }
}

/// What a thread and its runtime have done while something ran.
#[derive(Debug, PartialEq, Eq)]
struct Cost {
    sends: u64,
    receives: u64,
    waits: u64,
}

#[test]
fn a_call_sends_once_receives_once_and_waits_once_at_each_end() {
    let name = format!("system-calls-{}", std::process::id());
    let (measured, until_measured) = oneshot::channel();
    let (begun, may_begin) = mpsc::channel();
    let server = std::thread::spawn({
        let name = name.clone();
        move || {
            let runtime = runtime();
            runtime.block_on(async {
                let listener = PipeServer::bind(name.as_str()).unwrap();
                let server = Server::builder().service(EchoServer::new(Echoer));
                tokio::spawn(server.serve(listener));
            });
            begun.send(()).unwrap();
            cost_of(&runtime, async { until_measured.await.unwrap() })
        }
    });
    may_begin.recv().unwrap();

    let runtime = runtime();
    let client = runtime.block_on(async { EchoClient::connect(Connect::to(name.as_str())).await.unwrap() });
    let calls = runtime.spawn(async move {
        for call in 0..CALLS {
            assert_eq!(client.echo([call; 8]).await.unwrap(), [call; 8]);
        }
        client
    });
    let mut client = None;
    let at_client = cost_of(&runtime, async { client = Some(calls.await.unwrap()) });
    measured.send(()).unwrap();
    let at_server = server.join().unwrap();
    drop(client);

    assert_about_once(&at_client);
    assert_about_once(&at_server);
}

/// A greeting, a request and a farewell; a greeting and an answer. A server looks for the greeting before it waits for
/// it, and acknowledges no farewell behind which the pipe has its end.
#[test]
fn a_connection_for_one_call_takes_five_packets_and_looks_for_each_once() {
    const CONNECTIONS: u64 = 100;
    let name = format!("system-calls-connect-{}", std::process::id());
    let runtime = runtime();
    let both_ends = cost_of(&runtime, async {
        let listener = PipeServer::bind(name.as_str()).unwrap();
        let server = Server::builder().service(EchoServer::new(Echoer));
        tokio::spawn(server.serve(listener));
        for call in 0..CONNECTIONS {
            let client = EchoClient::connect(Connect::to(name.as_str())).await.unwrap();
            assert_eq!(client.echo([call; 8]).await.unwrap(), [call; 8]);
        }
    });
    // The last farewell is still under way.
    let five_each = 5 * CONNECTIONS - 2..=5 * CONNECTIONS;
    let exact = five_each.contains(&both_ends.sends) && five_each.contains(&both_ends.receives);
    assert!(exact, "{both_ends:?} for {CONNECTIONS} connections");
}

/// The server greets and waits for its connection and for the end of all, too. An answer that comes before anybody waits
/// for it saves a wait.
fn assert_about_once(cost: &Cost) {
    let about_once = CALLS..CALLS + 10;
    let once = about_once.contains(&cost.sends) && about_once.contains(&cost.receives);
    assert!(once && cost.waits < about_once.end, "{cost:?} for {CALLS} calls");
}

fn cost_of(runtime: &Runtime, future: impl Future<Output = ()>) -> Cost {
    let waits = || runtime.metrics().worker_park_count(0);
    let (before, waited) = (SystemCalls::of_this_thread(), waits());
    runtime.block_on(future);
    let after = SystemCalls::of_this_thread();
    Cost {
        sends: after.sends - before.sends,
        receives: after.receives - before.receives,
        waits: waits() - waited,
    }
}

fn runtime() -> Runtime {
    Builder::new_current_thread().enable_all().build().unwrap()
}
