//! How large bodies may be: for all methods, and for one.

#[expect(unreachable_pub, dead_code, reason = "each test file uses a part")]
mod support;

use bytes::Bytes;
use pipe_rpc::{Connect, Fault, Outcome, PipeServer, Reason, Server};
use support::{soon, unique_name};

const MIB: u64 = 1 << 20;

/// The trait as the server has it.
mod server {
    use super::Bytes;

    #[pipe_rpc::service]
    pub(crate) trait Files {
        #[rpc(max_body = "1MiB")]
        async fn put(&self, file: Bytes) -> u64;
        #[rpc(max_body = "1MiB")]
        async fn get(&self, size: u64) -> Bytes;
        #[rpc(max_body = "16B")]
        async fn note(&self, text: Bytes) -> u64;
        async fn other(&self, file: Bytes) -> u64;
    }
}

/// The trait as a client has it that was built at another time.
mod other {
    use super::Bytes;

    #[pipe_rpc::service]
    pub(crate) trait Files {
        #[rpc(max_body = "2MiB")]
        async fn put(&self, file: Bytes) -> u64;
        #[rpc(max_body = "1KiB")]
        async fn get(&self, size: u64) -> Bytes;
        async fn note(&self, text: Bytes) -> u64;
    }
}

use server::FilesClient;

struct Disk;

impl server::Files for Disk {
    async fn put(&self, file: Bytes) -> u64 {
        file.len() as u64
    }
    async fn get(&self, size: u64) -> Bytes {
        bytes(size)
    }
    async fn note(&self, text: Bytes) -> u64 {
        text.len() as u64
    }
    async fn other(&self, file: Bytes) -> u64 {
        file.len() as u64
    }
}

fn bytes(size: u64) -> Bytes {
    vec![7; usize::try_from(size).unwrap()].into()
}

/// A server, and a client's options, that both take 1,000 bytes of methods without a limit of their own.
fn serve(test: &str) -> Connect {
    let name = unique_name(test);
    let listener = PipeServer::bind(&*name).unwrap();
    let server = Server::builder()
        .service(server::FilesServer::new(Disk))
        .max_body(1000);
    tokio::spawn(server.serve(listener));
    Connect::to(name).max_body(1000)
}

fn told(fault: &Fault) -> (Outcome, Reason) {
    (fault.outcome(), fault.reason())
}

fn too_large(size: u64, limit: u64) -> Reason {
    Reason::BodyTooLarge { size, limit }
}

#[tokio::test]
async fn a_methods_limit_goes_before_the_servers_for_its_arguments() {
    let files = FilesClient::connect(serve("limits-arguments")).await.unwrap();
    assert_eq!(soon(files.put(bytes(MIB))).await, Ok(MIB));
    assert_eq!(soon(files.note(bytes(16))).await, Ok(16));
    let fault = soon(files.put(bytes(MIB + 1))).await.unwrap_err();
    assert_eq!(told(&fault), (Outcome::NotSent, too_large(MIB + 1, MIB)));
    assert_eq!(
        fault.to_string(),
        "the call was not sent: its body of 1048577 bytes is over the limit of 1048576: a request; its method sets the \
         limit, with max_body"
    );
    let fault = soon(files.note(bytes(17))).await.unwrap_err();
    assert_eq!(told(&fault), (Outcome::NotSent, too_large(17, 16)));
    let fault = soon(files.other(bytes(1001))).await.unwrap_err();
    assert_eq!(told(&fault), (Outcome::NotSent, too_large(1001, 1000)));
}

#[tokio::test]
async fn a_methods_limit_goes_before_the_clients_for_its_result() {
    let files = FilesClient::connect(serve("limits-result")).await.unwrap();
    assert_eq!(soon(files.get(MIB)).await.unwrap().len() as u64, MIB);
    let fault = soon(files.get(MIB + 1)).await.unwrap_err();
    assert_eq!(told(&fault), (Outcome::Ran, too_large(MIB + 1, MIB)));
    assert_eq!(soon(files.get(1001)).await.unwrap().len(), 1001);
}

#[tokio::test]
async fn ends_that_know_different_limits_hold_to_their_own_and_stay_connected() {
    let files = other::FilesClient::connect(serve("limits-differ")).await.unwrap();
    for _ in 0..3 {
        let fault = soon(files.put(bytes(2 * MIB))).await.unwrap_err();
        assert_eq!(told(&fault), (Outcome::Refused, too_large(2 * MIB, MIB)));
        let fault = soon(files.note(bytes(17))).await.unwrap_err();
        assert_eq!(told(&fault), (Outcome::Refused, too_large(17, 16)));
        for size in [1025, MIB] {
            let fault = soon(files.get(size)).await.unwrap_err();
            assert_eq!(told(&fault), (Outcome::Ran, too_large(size, 1024)));
        }
        assert_eq!(soon(files.put(bytes(MIB))).await, Ok(MIB));
        assert_eq!(soon(files.get(1024)).await.unwrap().len(), 1024);
    }
}
