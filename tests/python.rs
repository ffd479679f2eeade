//! The Python client of the examples, which is written from PROTOCOL.md, calls servers in Rust.

#[path = "support/example.rs"]
mod example;

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;

use bytes::Bytes;
use example::example;
use futures_util::stream::{self, Stream};
use pipe_rpc::{Codec, PipeServer, Server, ServerBuilder};
use serde::{Deserialize, Serialize};
use tokio::sync::oneshot;

#[pipe_rpc::service]
trait Workshop {
    async fn same(&self, everything: Everything) -> Everything;
    async fn nothing(&self);
    async fn add(&self, one: u32, other: u32) -> u32;
    async fn divide(&self, dividend: i32, divisor: i32) -> Result<i32, DivideError>;
    async fn reverse(&self, bytes: Bytes) -> Vec<u8>;
    async fn give(&self, size: usize) -> Bytes;
    async fn repeat(&self, word: String, times: usize) -> Vec<String>;
    async fn length(&self, text: String) -> usize;
    async fn never(&self);
    async fn not_a_number(&self) -> f64;
    async fn panic(&self);
    async fn count(&self, up_to: u32) -> impl Stream<Item = Result<u32, DivideError>>;
    async fn fill(&self, sizes: Vec<usize>) -> impl Stream<Item = String>;
    async fn forever(&self) -> impl Stream<Item = u64>;
    async fn perhaps(&self) -> Result<impl Stream<Item = u32>, DivideError>;
    async fn half(&self) -> impl Stream<Item = u32>;
    async fn listeners(&self) -> usize;
}

#[derive(Serialize, Deserialize)]
struct Everything {
    text: String,
    number: i64,
    big: i128,
    float: f64,
    maybe: Option<String>,
    list: Vec<(char, bool)>,
    map: BTreeMap<u8, String>,
    shape: Shape,
}

#[derive(Serialize, Deserialize)]
enum Shape {
    Circle { radius: f32 },
}

#[derive(Serialize, Deserialize)]
enum DivideError {
    ByZero { dividend: i32 },
}

#[derive(Default)]
struct Bench {
    listeners: Arc<()>,
}

impl Workshop for Bench {
    async fn same(&self, everything: Everything) -> Everything {
        everything
    }
    async fn nothing(&self) {}
    async fn add(&self, one: u32, other: u32) -> u32 {
        one + other
    }
    async fn divide(&self, dividend: i32, divisor: i32) -> Result<i32, DivideError> {
        dividend
            .checked_div(divisor)
            .ok_or(DivideError::ByZero { dividend })
    }
    async fn reverse(&self, bytes: Bytes) -> Vec<u8> {
        bytes.iter().rev().copied().collect()
    }
    async fn give(&self, size: usize) -> Bytes {
        vec![7; size].into()
    }
    async fn repeat(&self, word: String, times: usize) -> Vec<String> {
        vec![word; times]
    }
    async fn length(&self, text: String) -> usize {
        text.len()
    }
    async fn never(&self) {
        std::future::pending::<()>().await;
    }
    async fn not_a_number(&self) -> f64 {
        f64::NAN
    }
    async fn panic(&self) {
        panic!("on purpose")
    }
    async fn count(&self, up_to: u32) -> impl Stream<Item = Result<u32, DivideError>> {
        stream::iter(
            (0..up_to)
                .map(Ok)
                .chain([Err(DivideError::ByZero { dividend: 1 })]),
        )
    }
    async fn fill(&self, sizes: Vec<usize>) -> impl Stream<Item = String> {
        stream::iter(sizes.into_iter().map(|size| "x".repeat(size)))
    }
    async fn forever(&self) -> impl Stream<Item = u64> {
        let listener = Arc::clone(&self.listeners);
        stream::iter((0..).inspect(move |_| drop(Arc::clone(&listener))))
    }
    async fn perhaps(&self) -> Result<impl Stream<Item = u32>, DivideError> {
        Err::<stream::Empty<u32>, _>(DivideError::ByZero { dividend: 2 })
    }
    async fn half(&self) -> impl Stream<Item = u32> {
        stream::iter((0..3).inspect(|item| assert!(*item < 2, "on purpose")))
    }
    async fn listeners(&self) -> usize {
        Arc::strong_count(&self.listeners) - 1
    }
}

/// The command that runs a Python script of this repository, unless this system cannot; then it says so.
fn python(script: &str) -> Option<Command> {
    let why_not = if std::env::consts::OS != "linux" {
        "the client is for sockets of type SEQPACKET, which only Linux has here"
    } else if Command::new("python3").arg("--version").output().is_err() {
        "there is no python3"
    } else {
        let mut command = Command::new("python3");
        command.arg(Path::new(env!("CARGO_MANIFEST_DIR")).join(script));
        return Some(command);
    };
    eprintln!("skipped: {why_not}");
    None
}

/// Runs one function of `tests/python/calls.py` against a workshop that is served as `configure` says.
async fn client_passes(test: &str, configure: impl FnOnce(ServerBuilder) -> ServerBuilder) {
    let Some(mut command) = python("tests/python/calls.py") else {
        return;
    };
    let name = format!("python-{test}-{}", std::process::id());
    let listener = PipeServer::bind(name.as_str()).unwrap();
    let builder = configure(Server::builder().service(WorkshopServer::new(Bench::default())));
    tokio::spawn(builder.serve(listener));
    command.args([name.as_str(), test]);
    let output = tokio::task::spawn_blocking(move || command.output());
    let output = output.await.unwrap().unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
}

#[tokio::test]
async fn values_of_all_kinds_come_back() {
    client_passes("values", |server| server).await;
}

#[tokio::test]
async fn a_methods_error_is_an_error_in_python() {
    client_passes("errors", |server| server).await;
}

#[tokio::test]
async fn faults_tell_what_was_wrong_and_leave_the_connection_whole() {
    client_passes("faults", |server| server).await;
}

#[tokio::test]
async fn bodies_larger_than_a_packet_arrive() {
    client_passes("large", |server| server).await;
}

#[tokio::test]
async fn calls_that_were_given_up_free_their_slots() {
    client_passes("deadline", |server| server.max_calls(4)).await;
}

#[tokio::test]
async fn one_slot_is_enough_for_many_calls() {
    client_passes("many", |server| server.max_calls(1)).await;
}

#[tokio::test]
async fn streams_arrive_whole_or_end_with_their_error() {
    client_passes("streams", |server| server).await;
}

#[tokio::test]
async fn a_stream_that_is_closed_is_dropped_at_the_server() {
    client_passes("closing", |server| server.max_calls(2)).await;
}

#[tokio::test]
async fn the_client_leaves_in_good_order() {
    client_passes("farewell", |server| server).await;
}

#[tokio::test]
async fn a_client_without_the_secret_is_told_so() {
    client_passes("secret", |server| server.secret(b"open sesame")).await;
}

#[tokio::test]
async fn a_server_without_json_says_what_it_offers() {
    client_passes("codec", |server| server.codecs([Codec::Bincode])).await;
}

#[tokio::test]
async fn a_server_that_leaves_says_farewell_to_the_client() {
    let Some(mut command) = python("tests/python/calls.py") else {
        return;
    };
    let name = format!("python-leaving-{}", std::process::id());
    let listener = PipeServer::bind(name.as_str()).unwrap();
    let (leave, told) = oneshot::channel::<()>();
    let builder = Server::builder().service(WorkshopServer::new(Bench::default()));
    let serving = tokio::spawn(builder.serve_until(listener, async { drop(told.await) }));
    let mut client = command
        .args([name.as_str(), "leaving"])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut output = BufReader::new(client.stdout.take().unwrap());
    let has_called = tokio::task::spawn_blocking(move || output.read_line(&mut String::new()));
    has_called.await.unwrap().unwrap();
    leave.send(()).unwrap();
    let ended = tokio::task::spawn_blocking(move || client.wait());
    assert!(ended.await.unwrap().unwrap().success());
    serving.await.unwrap().unwrap();
}

#[test]
fn the_example_looks_words_up() {
    let Some(mut client) = python("examples/python_client.py") else {
        return;
    };
    let name = format!("python-example-{}", std::process::id());
    let mut server = example("thesaurus")
        .arg(&name)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut told = BufReader::new(server.stdout.take().unwrap());
    told.read_line(&mut String::new()).unwrap();
    let output = client.args([name.as_str(), "pipe"]).output().unwrap();
    drop(server.stdin.take());
    assert_eq!(
        String::from_utf8_lossy(&output.stdout),
        "pipe call\ntube duct\n",
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    assert!(server.wait().unwrap().success());
}
