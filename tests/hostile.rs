//! Hostile clients and servers over real pipes: the most important scripts of rpc-core/tests/hostile_*.rs.

use std::error::Error;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use pipe_rpc::{Outcome, Pipe, PipeServer, Reason, Server};
use rpc_core::testing::frame::{self, Frame, farewell, large_request, packet, ping, request, response};
use tokio::sync::Notify;

#[pipe_rpc::service]
trait Echo {
    async fn echo(&self, text: String) -> String;
    async fn never(&self);
}

/// Knows how many of its calls run.
#[derive(Clone, Default)]
struct Echoer(Arc<(AtomicUsize, Notify)>);

struct Running(Echoer);

impl Drop for Running {
    fn drop(&mut self) {
        self.0.0.0.fetch_sub(1, Ordering::SeqCst);
        self.0.0.1.notify_one();
    }
}

impl Echoer {
    async fn running(&self, count: usize) {
        while self.0.0.load(Ordering::SeqCst) != count {
            self.0.1.notified().await;
        }
    }
}

impl Echo for Echoer {
    async fn echo(&self, text: String) -> String {
        text
    }
    async fn never(&self) {
        self.0.0.fetch_add(1, Ordering::SeqCst);
        let _running = Running(self.clone());
        self.0.1.notify_one();
        std::future::pending::<()>().await;
    }
}

/// A greeting of an end that grants a hundred calls and a mebibyte: magic, versions, tags.
fn hello() -> Vec<u8> {
    let tags: [(u16, &[u8]); 5] = [
        (2, &[1]),
        (4, &100u32.to_le_bytes()),
        (5, &100u32.to_le_bytes()),
        (6, &(1u64 << 20).to_le_bytes()),
        (7, &(1u64 << 20).to_le_bytes()),
    ];
    let tags: Vec<u8> = tags
        .iter()
        .flat_map(|(tag, value)| {
            let length = value.len() as u16;
            [&tag.to_le_bytes()[..], &length.to_le_bytes(), value].concat()
        })
        .collect();
    let length = tags.len() as u32;
    [b"pipe-rpc\x01\x00\x01\x00", &length.to_le_bytes()[..], &tags].concat()
}

fn name(of: &str) -> String {
    format!("hostile-{of}-{}", std::process::id())
}

fn serve(name: &str) -> Echoer {
    let echoer = Echoer::default();
    let server = Server::builder()
        .service(EchoServer::new(echoer.clone()))
        .handshake_timeout(Duration::from_millis(100));
    tokio::spawn(server.serve(PipeServer::bind(name).unwrap()));
    echoer
}

/// A client that was let in.
async fn greet(name: &str) -> Pipe {
    let mut pipe = Pipe::connect(name).await.unwrap();
    pipe.send(&hello()).await.unwrap();
    let answer = pipe.recv().await.unwrap().expect("an answer");
    assert!(answer.starts_with(b"pipe-rpc"));
    pipe
}

/// All frames up to the end of the pipe, which may be a reset.
async fn rest(pipe: &mut Pipe) -> Vec<Frame> {
    let mut frames = Vec::new();
    while let Ok(Some(packet)) = pipe.recv().await {
        frames.extend(Frame::all_of(&packet));
    }
    frames
}

async fn assert_alive(name: &str) {
    let client = EchoClient::connect(name).await.unwrap();
    assert_eq!(client.echo("still here".into()).await.unwrap(), "still here");
}

/// A request of `Echo::never`.
fn never(call: (u32, u32)) -> Frame {
    request(call, b"").to("Echo", "never")
}

#[tokio::test]
async fn a_client_that_breaks_the_protocol_is_told_why_and_leaves_nothing_running() {
    let name = name("client");
    let echoer = serve(&name);
    let mut four_gigabytes = Frame::new(1, 1, (1, 1)).bytes();
    four_gigabytes[0..4].copy_from_slice(&u32::MAX.to_le_bytes());
    let scripts: [(Vec<u8>, &str); 7] = [
        (
            four_gigabytes,
            "a packet of 16 bytes does not end where its last frame ends",
        ),
        (
            vec![7; 50],
            "a packet of 50 bytes does not end where its last frame ends",
        ),
        (
            Frame::new(99, 1, (0, 1)).bytes(),
            "frame kind 99 is unknown or was not agreed on",
        ),
        (never((0, 1)).bytes(), "call 0.1 was used out of turn"),
        (
            never((5000, 1)).bytes(),
            "slot 5000 is beyond the 2048 calls that were granted",
        ),
        (response((0, 1), b"").bytes(), "call 0.1 was used out of turn"),
        (packet(&[farewell(), farewell()]), "a farewell was said twice"),
    ];
    for (script, text) in scripts {
        let mut pipe = greet(&name).await;
        pipe.send(&never((0, 1)).bytes()).await.unwrap();
        echoer.running(1).await;
        pipe.send(&script).await.unwrap();
        let frames = rest(&mut pipe).await;
        let report = frames.iter().find(|frame| frame.kind == 12).expect("a Goaway");
        assert_eq!(std::str::from_utf8(&report.body), Ok(text));
        echoer.running(0).await;
    }
    assert_alive(&name).await;
}

#[tokio::test]
async fn a_client_that_does_not_greet_is_shown_out() {
    let name = name("greeting");
    serve(&name);
    let mut silent = Pipe::connect(name.as_str()).await.unwrap();
    assert!(silent.recv().await.unwrap().is_none(), "in time");
    let mut stranger = Pipe::connect(name.as_str()).await.unwrap();
    stranger.send(b"GET / HTTP/1.1\r\n\r\n").await.unwrap();
    let answer = stranger.recv().await.unwrap().unwrap();
    assert!(answer.starts_with(b"pipe-rej"));
    assert!(stranger.recv().await.unwrap().is_none());
    for _ in 0..50 {
        drop(Pipe::connect(name.as_str()).await.unwrap());
    }
    assert_alive(&name).await;
}

#[tokio::test]
async fn a_client_that_never_reads_is_shown_out_when_it_asks_for_too_much() {
    let name = name("reading");
    let echoer = serve(&name);
    let mut pipe = greet(&name).await;
    pipe.send(&never((0, 1)).bytes()).await.unwrap();
    echoer.running(1).await;
    // Pings that are answered once, then refusals until the slots are used before their answers have left.
    let pings = packet(&vec![ping(1); 1000]);
    for _ in 0..100 {
        pipe.send(&pings).await.unwrap();
    }
    let flood = async {
        for generation in 1.. {
            let calls: Vec<_> = (1..1024).map(|slot| request((slot, generation), b"")).collect();
            if pipe.send(&packet(&calls)).await.is_err() {
                return;
            }
        }
    };
    flood.await;
    echoer.running(0).await;
    assert_alive(&name).await;
}

#[tokio::test]
async fn a_body_that_never_comes_holds_up_nobody() {
    let name = name("body");
    serve(&name);
    let mut pipe = greet(&name).await;
    pipe.send(&large_request((0, 1), 100 << 20, b"first").bytes())
        .await
        .unwrap();
    pipe.send(&ping(9).bytes()).await.unwrap();
    let answer = pipe.recv().await.unwrap().unwrap();
    assert_eq!(frame::told(&answer), ["pong 9"]);
    assert_alive(&name).await;
}

#[tokio::test]
async fn a_server_that_breaks_the_protocol_is_named_in_every_fault() {
    let name = name("server");
    let mut server = PipeServer::bind(name.as_str()).unwrap();
    let script = async {
        let mut pipe = server.accept().await.unwrap();
        pipe.recv().await.unwrap().expect("a greeting");
        pipe.send(&hello()).await.unwrap();
        pipe.recv().await.unwrap().expect("a request");
        pipe.send(&response((0, 9), b"").bytes()).await.unwrap();
        rest(&mut pipe).await
    };
    let call = async {
        let client = EchoClient::connect(name.as_str()).await.unwrap();
        client.echo("hello".into()).await.unwrap_err()
    };
    let (frames, fault) = tokio::join!(script, call);
    assert_eq!(
        (fault.outcome(), fault.reason()),
        (Outcome::MayHaveRun, Reason::ConnectionLost)
    );
    let cause = fault.source().and_then(Error::source).unwrap().to_string();
    assert_eq!(cause, "call 0.9 was used out of turn");
    let report = frames.iter().find(|frame| frame.kind == 12).expect("a Goaway");
    assert_eq!(report.body, cause.as_bytes());
}

#[cfg(unix)]
mod on_a_stream {
    //! Where packets are cut out of a stream, the lengths are hostile too.

    use std::io::{Read, Write};
    use std::os::unix::net::UnixStream;

    use pipe_rpc::{Connect, Framing, PipeServer, Server};

    use super::{EchoClient, EchoServer, Echoer, hello, name};

    /// One byte more than any limit that can be set.
    const TOO_LONG: u32 = transport_pipe::MAX_PACKET as u32 + 1;

    #[tokio::test]
    async fn lengths_of_zero_and_of_gigabytes_end_the_connection() {
        let name = name("stream");
        let listener = PipeServer::builder(name.as_str())
            .framing(Framing::Prefixed)
            .bind()
            .unwrap();
        let path = listener.local_name().to_owned();
        let server = Server::builder().service(EchoServer::new(Echoer::default()));
        tokio::spawn(server.serve(listener));
        for length in [0, TOO_LONG, u32::MAX] {
            let path = path.clone();
            let script = move || {
                let mut stream = UnixStream::connect(path).unwrap();
                let greeting = hello();
                stream.write_all(&(greeting.len() as u32).to_le_bytes()).unwrap();
                stream.write_all(&greeting).unwrap();
                let mut start = [0; 12];
                stream.read_exact(&mut start).unwrap();
                assert_eq!(&start[4..], b"pipe-rpc");
                stream.write_all(&u32::to_le_bytes(length)).unwrap();
                // The end, or a reset: the server reads no further.
                let _ = stream.read_to_end(&mut Vec::new());
            };
            tokio::task::spawn_blocking(script).await.unwrap();
        }
        let connect = Connect::to(name.as_str()).framing(Framing::Prefixed);
        let client = EchoClient::connect(connect).await.unwrap();
        assert_eq!(client.echo("still here".into()).await.unwrap(), "still here");
    }
}
