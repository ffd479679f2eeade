//! One of the two processes, or the runtime of a connection, is gone: every call ends at once and says what is known.

#[expect(unreachable_pub, dead_code, reason = "each test file uses a part")]
mod support;

use std::error::Error as _;
use std::io::{self, IoSlice};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::task::{Context, Poll};

use bytes::Bytes;
use pipe_rpc::transport::{Link, Listener, PacketSender};
use pipe_rpc::{Fault, Outcome, PipeServer, Reason, Server};
use support::lab::{LabServer, Laboratory, serve, serve_few, start};
use support::{Gauge, LabClient, child, poll_once, soon, unique_name};

/// How many calls the servers of these tests let a client have open.
const CREDIT: u32 = 64;

/// What this program does when a test has started it as another process.
#[test]
fn child_role() {
    let Some((role, name)) = child::role() else { return };
    let runtime = tokio::runtime::Runtime::new().unwrap();
    match role.as_str() {
        "serve" => runtime.block_on(serve_until_killed(&name)),
        "answer-and-exit" => runtime.block_on(answer_and_exit(&name)),
        "touch-and-exit" => runtime.block_on(touch_and_exit(&name)),
        "hold-until-killed" => runtime.block_on(hold_until_killed(&name)),
        other => panic!("no such role: {other}"),
    }
}

async fn serve_until_killed(name: &str) {
    child::end_with_parent();
    let gauge = Gauge::default();
    let listener = PipeServer::bind(name).unwrap();
    let server = Server::builder().max_calls(CREDIT);
    tokio::spawn(
        server
            .service(LabServer::new(Laboratory(gauge.clone())))
            .serve(listener),
    );
    child::tell("ready");
    gauge.until_running(CREDIT as usize).await;
    child::tell("running");
    std::future::pending::<()>().await;
}

async fn answer_and_exit(name: &str) {
    let listener = Exiting(PipeServer::bind(name).unwrap());
    child::tell("ready");
    let server = Server::builder().service(LabServer::new(Laboratory::default()));
    server.serve(listener).await.unwrap();
}

async fn touch_and_exit(name: &str) {
    let client = LabClient::connect(name).await.unwrap();
    client.touch().await.unwrap();
    client.touch_bytes(large()).await.unwrap();
    std::process::exit(0);
}

async fn hold_until_killed(name: &str) {
    child::end_with_parent();
    let client = LabClient::connect(name).await.unwrap();
    client.touch_hold().await.unwrap();
    let _holding: Vec<_> = (0..10)
        .map(|_| start(&client, |client| async move { client.hold().await }))
        .collect();
    std::future::pending::<()>().await;
}

/// Larger than what a pipe holds.
fn large() -> Bytes {
    vec![7; 4 << 20].into()
}

/// A listener whose process ends as soon as its first response is with the system.
struct Exiting(PipeServer);

impl Listener for Exiting {
    fn poll_accept(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<Link>> {
        self.0.poll_accept(cx).map_ok(|link| Link {
            sender: Box::new(ExitingSender(link.sender, AtomicUsize::new(0))),
            ..link
        })
    }

    fn close(&mut self) {
        self.0.close();
    }

    fn local_name(&self) -> String {
        self.0.local_name().to_owned()
    }
}

struct ExitingSender(Box<dyn PacketSender>, AtomicUsize);

impl PacketSender for ExitingSender {
    fn try_send(&self, packet: &[IoSlice<'_>]) -> io::Result<()> {
        self.0.try_send(packet)?;
        // The first packet is the greeting.
        if self.1.fetch_add(1, SeqCst) == 1 {
            std::process::exit(0);
        }
        Ok(())
    }

    fn poll_ready(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.0.poll_ready(cx)
    }

    fn poll_flush(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.0.poll_flush(cx)
    }

    fn close(&self) {
        self.0.close();
    }
}

fn reason_and_source(fault: &Fault) -> (Reason, String) {
    (fault.reason(), fault.source().unwrap().to_string())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_killed_ends_every_call_and_says_which_may_have_run() {
    let name = unique_name("lost-kill");
    let mut server = child::start("serve", &name);
    assert_eq!(server.told(), "ready");
    let client = LabClient::connect(&name).await.unwrap();
    let calls: Vec<_> = (0..100)
        .map(|_| start(&client, |client| async move { client.hold().await.unwrap_err() }))
        .collect();
    let mut server = tokio::task::spawn_blocking(move || {
        assert_eq!(server.told(), "running");
        server
    })
    .await
    .unwrap();
    server.kill();
    let (mut sent, mut unsent) = (0, 0);
    for call in calls {
        let fault = soon(call).await.unwrap();
        let gone = "the other end is gone without a word; its process most likely ended";
        assert_eq!(
            reason_and_source(&fault),
            (Reason::ConnectionLost, gone.to_owned())
        );
        match fault.outcome() {
            Outcome::MayHaveRun => sent += 1,
            Outcome::NotSent => unsent += 1,
            other => panic!("{other:?}"),
        }
    }
    assert_eq!((sent, unsent), (CREDIT, 100 - CREDIT));
    let late = soon(client.echo("late".into())).await.unwrap_err();
    assert_eq!(
        (late.outcome(), late.reason()),
        (Outcome::NotSent, Reason::ConnectionLost)
    );
}

#[tokio::test]
async fn a_response_written_just_before_the_server_exits_is_read() {
    let name = unique_name("lost-answer");
    let mut server = child::start("answer-and-exit", &name);
    assert_eq!(server.told(), "ready");
    let client = LabClient::connect(&name).await.unwrap();
    // More than the server reads: what it leaves unread must not hide what it wrote.
    let mut first = Box::pin(client.echo("the last word".into()));
    assert_eq!(poll_once(&mut first).await, None);
    let others: Vec<_> = (0..50)
        .map(|_| {
            start(&client, |client| async move {
                client.take(vec![7; 30_000].into()).await
            })
        })
        .collect();
    assert_eq!(soon(first).await.unwrap(), "the last word");
    for other in others {
        if let Err(fault) = soon(other).await.unwrap() {
            assert_eq!(fault.reason(), Reason::ConnectionLost);
        }
    }
    assert!(server.ended().success());
}

#[tokio::test]
async fn a_oneway_call_arrives_though_its_process_exits_right_after() {
    let lab = serve("lost-oneway");
    let mut client = child::start("touch-and-exit", &lab.name);
    lab.gauge.until_begun(2).await;
    lab.gauge.until_running(0).await;
    assert!(client.ended().success());
}

#[tokio::test]
async fn a_client_killed_drops_its_handlers_but_those_nobody_waits_for() {
    let lab = serve("lost-client");
    let mut client = child::start("hold-until-killed", &lab.name);
    lab.gauge.until_running(11).await;
    client.kill();
    lab.gauge.until_running(1).await;
    lab.gauge.release();
    lab.gauge.until_running(0).await;
}

#[tokio::test]
async fn a_runtime_shut_down_under_its_connection_ends_the_calls_of_others() {
    let lab = serve_few("lost-runtime", 1);
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let name = lab.name.clone();
    let client = runtime.spawn(async move { LabClient::connect(name).await.unwrap() });
    let client = client.await.unwrap();
    let sent = start(&client, |client| async move { client.hold().await });
    lab.gauge.until_running(1).await;
    let mut waiting = Box::pin(client.hold());
    assert_eq!(poll_once(&mut waiting).await, None);
    runtime.shutdown_background();
    let faults = [
        soon(sent).await.unwrap().unwrap_err(),
        soon(waiting).await.unwrap_err(),
    ];
    let outcomes = faults.each_ref().map(Fault::outcome);
    assert_eq!(outcomes, [Outcome::MayHaveRun, Outcome::NotSent]);
    let gone =
        "the tokio runtime that drove the connection was shut down; keep it alive while the client is used";
    for fault in &faults {
        assert_eq!(
            reason_and_source(fault),
            (Reason::ConnectionLost, gone.to_owned())
        );
    }
    lab.gauge.until_running(0).await;
}

#[tokio::test]
async fn a_connection_closed_ends_its_open_calls() {
    let lab = serve("lost-close");
    let channel = lab.channel().await;
    let client = LabClient::new(channel.clone());
    let call = start(&client, |client| async move { client.hold().await });
    lab.gauge.until_running(1).await;
    channel.close();
    channel.close();
    let fault = soon(call).await.unwrap().unwrap_err();
    assert_eq!(
        (fault.outcome(), fault.reason()),
        (Outcome::MayHaveRun, Reason::ConnectionLost)
    );
    let why: Arc<_> = soon(channel.closed()).await;
    assert_eq!(why.to_string(), "this end closed the connection");
    lab.gauge.until_running(0).await;
}
