//! How many bytes of heap a connection holds at each end that was called once and is idle. Counted, so it does not depend
//! on the computer: one thread is the client and one the server, and each thread's allocations are its own. What the
//! system holds for a socket is not counted.
#![cfg(target_os = "linux")]

use std::sync::{Arc, Barrier};

use allocation_counter::measure;
use pipe_rpc::{Connect, PipeServer, Server};
use tokio::runtime::{Builder, Runtime};
use tokio::sync::oneshot;

/// How many connections are made before it is counted: what there is once for all of them is there by then.
const BEFORE: usize = 8;

/// How many connections are counted.
const COUNTED: usize = 128;

/// The most bytes that an idle connection may hold, at either end.
const BOUND: i64 = 4096;

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

#[test]
fn an_idle_connection_holds_4_kib_at_either_end_at_most() {
    let name = format!("connection-memory-{}", std::process::id());
    let counting = Arc::new(Barrier::new(2));
    let (first_are_there, first) = oneshot::channel();
    let (all_are_there, all) = oneshot::channel();
    let server = std::thread::spawn({
        let (name, counting) = (name.clone(), Arc::clone(&counting));
        move || bytes_of_server(&name, first, &counting, all)
    });

    let runtime = runtime();
    let mut clients = Vec::with_capacity(BEFORE + COUNTED);
    runtime.block_on(connect(&name, BEFORE, &mut clients));
    first_are_there.send(()).unwrap();
    counting.wait();
    let at_client = measure(|| runtime.block_on(connect(&name, COUNTED, &mut clients))).bytes_current;
    all_are_there.send(()).unwrap();
    let at_server = server.join().unwrap();

    let per_connection = [at_client, at_server].map(|bytes| bytes / COUNTED as i64);
    // Less than a kilobyte would mean that not all was counted.
    let plausible = 1024..=BOUND;
    assert!(
        per_connection.iter().all(|bytes| plausible.contains(bytes)),
        "client and server: {per_connection:?} bytes"
    );
}

/// How many bytes the server's thread holds for the clients that connect between the first ones and all of them.
fn bytes_of_server(
    name: &str,
    first: oneshot::Receiver<()>,
    counting: &Barrier,
    all: oneshot::Receiver<()>,
) -> i64 {
    let runtime = runtime();
    runtime.block_on(async {
        let listener = PipeServer::bind(name).unwrap();
        let server = Server::builder().service(EchoServer::new(Echoer));
        tokio::spawn(server.serve(listener));
        first.await.unwrap();
    });
    counting.wait();
    measure(|| runtime.block_on(all).unwrap()).bytes_current
}

/// Makes so many connections, and a call on each.
async fn connect(name: &str, count: usize, clients: &mut Vec<EchoClient>) {
    for call in 0..count as u64 {
        let client = EchoClient::connect(Connect::to(name).wait_for_server(true))
            .await
            .unwrap();
        assert_eq!(client.echo([call; 8]).await.unwrap(), [call; 8]);
        clients.push(client);
    }
}

fn runtime() -> Runtime {
    Builder::new_current_thread().enable_all().build().unwrap()
}
