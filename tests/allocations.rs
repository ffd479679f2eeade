//! How often a small call allocates, at each end, once the connection has its buffers. Counted, so it does not depend
//! on the computer: one thread is the client and one the server, and each thread's allocations are its own.

use std::sync::{Arc, Barrier, mpsc};

use allocation_counter::measure;
use pipe_rpc::{Connect, PipeServer, Server};
use tokio::runtime::{Builder, Runtime};
use tokio::sync::oneshot;

/// How many calls a round has.
const CALLS: u64 = 100;

/// How many rounds are counted. A server whose thread was held up in a handler gives that method tasks for its next
/// calls, and these allocate; so its best round counts.
const ROUNDS: usize = 20;

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
fn a_small_call_allocates_nothing_at_the_client_and_the_boxed_handler_at_the_server() {
    let name = format!("allocations-{}", std::process::id());
    let start = Arc::new(Barrier::new(2));
    let (round_ends, server_rounds) = mpsc::channel();
    let server = std::thread::spawn({
        let (name, start) = (name.clone(), Arc::clone(&start));
        move || allocations_of_server(&name, &start, &server_rounds)
    });

    let runtime = runtime();
    let mut client = None;
    let mut at_client = Vec::new();
    for _ in 0..ROUNDS {
        let (end, ends) = oneshot::channel();
        round_ends.send(ends).unwrap();
        start.wait();
        let client = client.get_or_insert_with(|| runtime.block_on(connected(&name)));
        at_client.push(measure(|| runtime.block_on(call_often(client))).count_total);
        end.send(()).unwrap();
    }
    drop(round_ends);

    // The first round is the one in which the buffers are made.
    assert_eq!(at_client[1..], [0; ROUNDS - 1]);
    assert_eq!(server.join().unwrap().iter().min(), Some(&CALLS));
}

/// How often the server's thread allocates in each of the rounds.
fn allocations_of_server(
    name: &str,
    start: &Barrier,
    rounds: &mpsc::Receiver<oneshot::Receiver<()>>,
) -> Vec<u64> {
    let runtime = runtime();
    runtime.block_on(async {
        let listener = PipeServer::bind(name).unwrap();
        let server = Server::builder().service(EchoServer::new(Echoer));
        tokio::spawn(server.serve(listener));
    });
    let count = |end: oneshot::Receiver<()>| {
        start.wait();
        measure(|| runtime.block_on(end).unwrap()).count_total
    };
    rounds.iter().map(count).collect()
}

async fn connected(name: &str) -> EchoClient {
    let target = Connect::to(name).wait_for_server(true);
    EchoClient::connect(target).await.unwrap()
}

async fn call_often(client: &EchoClient) {
    for call in 0..CALLS {
        assert_eq!(client.echo([call; 8]).await.unwrap(), [call; 8]);
    }
}

fn runtime() -> Runtime {
    Builder::new_current_thread().enable_all().build().unwrap()
}
