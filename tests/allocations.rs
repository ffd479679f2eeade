//! How often a small call allocates, at each end, once the connection has its buffers. Counted, so it does not depend
//! on the computer: one thread is the client and one the server, and each thread's allocations are its own.

use allocation_counter::measure;
use pipe_rpc::{Connect, PipeServer, Server};
use tokio::runtime::{Builder, Runtime};
use tokio::sync::oneshot;

/// How many calls are counted.
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

#[test]
fn a_small_call_allocates_nothing_at_the_client_and_the_boxed_handler_at_the_server() {
    let name = format!("allocations-{}", std::process::id());
    let (warm, is_warm) = oneshot::channel();
    let (done, is_done) = oneshot::channel();
    let server = std::thread::spawn({
        let name = name.clone();
        move || allocations_of_server(&name, is_warm, is_done)
    });

    let runtime = runtime();
    let target = Connect::to(name.as_str()).wait_for_server(true);
    let client = runtime.block_on(EchoClient::connect(target)).unwrap();
    runtime.block_on(call_often(&client));
    warm.send(()).unwrap();
    let at_client = measure(|| runtime.block_on(call_often(&client))).count_total;
    done.send(()).unwrap();
    let at_server = server.join().unwrap();

    // The runtime's own, and the server's for what it was told meanwhile, are a few in all; one a call would be 1000.
    assert!(at_client < CALLS / 10, "{at_client} allocations in {CALLS} calls");
    assert!(
        at_server < CALLS + CALLS / 10,
        "{at_server} allocations in {CALLS} calls"
    );
}

/// How often the server's thread allocates from the time that it is told it is warm until it is told that all is done.
fn allocations_of_server(name: &str, warm: oneshot::Receiver<()>, done: oneshot::Receiver<()>) -> u64 {
    let runtime = runtime();
    runtime.block_on(async {
        let listener = PipeServer::bind(name).unwrap();
        let server = Server::builder().service(EchoServer::new(Echoer));
        tokio::spawn(server.serve(listener));
        warm.await.unwrap();
    });
    measure(|| runtime.block_on(done).unwrap()).count_total
}

async fn call_often(client: &EchoClient) {
    for call in 0..CALLS {
        assert_eq!(client.echo([call; 8]).await.unwrap(), [call; 8]);
    }
}

fn runtime() -> Runtime {
    Builder::new_current_thread().enable_all().build().unwrap()
}
