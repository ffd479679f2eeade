//! More callers than the server can serve: they wait or are told, and memory stays bounded at both ends.

#[expect(unreachable_pub, dead_code, reason = "each test file uses a part")]
mod support;

use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::task::Poll;

use pipe_rpc::{Outcome, PipeServer, Reason, Server};
use support::lab::{LabServer, Laboratory, all_is_well, serve_few, serve_with, start};
use support::{Gauge, LabClient, child, link, poll_once, soon, unique_name};
use tower::{ServiceBuilder, ServiceExt};

/// How many calls a connection may have open unless the server says otherwise.
const CREDIT: usize = 1024;

const CALLERS: usize = 10_000;

/// What a connection's large bodies may have under way unless the server says otherwise, and what a packet holds.
const WINDOW: usize = 16 << 20;
const PACKET: usize = 96 << 10;

/// What neither end may need, in KiB.
const LIMIT: u64 = 64 * 1024;

/// What this program does when a test has started it as another process.
#[test]
fn child_role() {
    let Some((role, name)) = child::role() else { return };
    let mut runtime = tokio::runtime::Builder::new_current_thread();
    let runtime = runtime.enable_all().build().unwrap();
    match role.as_str() {
        "serve-many" => runtime.block_on(serve_many(&name)),
        "serve-one" => runtime.block_on(serve_one(&name)),
        "call-many" => runtime.block_on(call_many(&name)),
        other => panic!("no such role: {other}"),
    }
}

/// Serves handlers that never end; tells its memory when all that may run do.
async fn serve_many(name: &str) {
    let gauge = Gauge::default();
    let listener = PipeServer::bind(name).unwrap();
    let server = Server::builder().service(LabServer::new(Laboratory(gauge.clone())));
    tokio::spawn(server.serve(listener));
    child::tell("ready");
    gauge.until_running(CREDIT).await;
    child::tell(&memory());
    child::wait_for_parent();
}

/// Runs one handler that does not end, with large bodies behind it; tells its memory when it is asked.
async fn serve_one(name: &str) {
    let gauge = Gauge::default();
    let listener = PipeServer::bind(name).unwrap();
    let server = Server::builder().service(LabServer::new(Laboratory(gauge.clone())));
    let served = tokio::spawn(server.max_running(1).serve(listener));
    child::tell("ready");
    gauge.until_running(1).await;
    child::tell("running");
    tokio::task::spawn_blocking(child::wait_for_parent).await.unwrap();
    child::tell(&memory());
    gauge.release();
    served.await.unwrap().unwrap();
}

/// Calls what never ends, many times at once; tells its memory when all callers wait.
async fn call_many(name: &str) {
    let client = LabClient::connect(name).await.unwrap();
    let waiting = Arc::new(AtomicUsize::new(0));
    for _ in 0..CALLERS {
        let (client, waiting) = (client.clone(), Arc::clone(&waiting));
        tokio::spawn(async move {
            let mut call = Box::pin(client.hold());
            assert_eq!(poll_once(&mut call).await, None);
            waiting.fetch_add(1, SeqCst);
            call.await
        });
    }
    while waiting.load(SeqCst) < CALLERS {
        tokio::task::yield_now().await;
    }
    child::tell(&memory());
    child::wait_for_parent();
}

/// The memory of this process in KiB, where the system tells it.
fn memory() -> String {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    line.map_or("unknown", |line| line.trim().trim_end_matches(" kB"))
        .to_owned()
}

fn check_memory(told: &str) {
    match told.parse::<u64>() {
        Ok(kib) => assert!(kib < LIMIT, "{kib} KiB"),
        Err(_) => eprintln!("skipped: this system does not tell how much memory a process has"),
    }
}

#[test]
fn ten_thousand_callers_of_a_handler_that_never_ends_need_little_memory() {
    let name = unique_name("backpressure-memory");
    let mut server = child::start("serve-many", &name);
    assert_eq!(server.told(), "ready");
    let mut client = child::start("call-many", &name);
    check_memory(&client.told());
    check_memory(&server.told());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn large_bodies_behind_a_busy_handler_need_no_more_memory_than_the_window() {
    let name = unique_name("backpressure-window");
    let mut server = child::start("serve-one", &name);
    assert_eq!(server.told(), "ready");
    let (channel, sent) = link::counted_channel(&name).await;
    let client = LabClient::new(channel);
    let held = start(&client, |client| async move { client.hold().await });
    let mut server = tokio::task::spawn_blocking(move || {
        assert_eq!(server.told(), "running");
        server
    })
    .await
    .unwrap();
    let before = sent.passed();
    // In all 400 MiB, of which the caller holds one copy.
    let body = bytes::Bytes::from(vec![7; 4 << 20]);
    let calls: Vec<_> = (0..100)
        .map(|_| {
            let body = body.clone();
            start(&client, move |client| async move { client.take(body).await })
        })
        .collect();
    // As many as the window lets through have left when the pipe has taken all their packets.
    soon(async {
        while sent.passed() < before + WINDOW / PACKET {
            tokio::task::yield_now().await;
        }
    })
    .await;
    server.go_on();
    check_memory(&server.told());
    assert_eq!(soon(held).await.unwrap(), Ok(42));
    for call in calls {
        assert_eq!(soon(call).await.unwrap(), Ok(4 << 20));
    }
}

#[tokio::test]
async fn callers_without_credit_wait_in_line_and_come_in_turn() {
    let lab = serve_few("backpressure-line", 2);
    let client = lab.client().await;
    let mut calls: Vec<_> = (0..50).map(|_| Box::pin(client.hold())).collect();
    let poll_all = poll_fn(|cx| {
        let pending = calls.iter_mut().all(|call| Pin::new(call).poll(cx).is_pending());
        Poll::Ready(pending)
    });
    assert!(poll_all.await);
    lab.gauge.until_running(2).await;
    assert_eq!(lab.gauge.begun(), 2);
    lab.gauge.release();
    for call in calls {
        assert_eq!(soon(call).await, Ok(42));
    }
    assert_eq!(lab.gauge.begun(), 50);
}

/// Credit that was taken for a call goes back when the call is not made, or cannot be sent.
#[tokio::test]
async fn credit_that_was_taken_in_vain_is_there_for_others() {
    let lab = serve_with("backpressure-vain", |server| server.max_calls(2).max_body(1024));
    let channel = lab.channel().await;
    let client = LabClient::new(channel.clone());
    for _ in 0..5 {
        let mut handle = channel.clone();
        soon(handle.ready()).await.unwrap();
        drop(handle);
        let fault = soon(client.take(vec![0; 4096].into())).await.unwrap_err();
        assert_eq!(fault.outcome(), Outcome::NotSent);
        assert!(matches!(fault.reason(), Reason::BodyTooLarge { .. }));
    }
    all_is_well(&client, &lab.gauge, 2).await;
}

#[tokio::test]
async fn callers_that_shed_load_are_told_overloaded_at_once() {
    let lab = serve_few("backpressure-shed", 8);
    let channel = lab.channel().await;
    let client = LabClient::new(ServiceBuilder::new().load_shed().service(channel));
    let mut calls: Vec<_> = (0..CALLERS).map(|_| Box::pin(client.hold())).collect();
    let mut shed = 0;
    let mut waiting = Vec::new();
    for mut call in calls.drain(..) {
        match poll_once(&mut call).await {
            None => waiting.push(call),
            Some(result) => {
                let fault = result.unwrap_err();
                assert_eq!(fault.reason(), Reason::Overloaded { retry_after: None });
                assert_eq!(fault.outcome(), Outcome::NotSent);
                shed += 1;
            }
        }
    }
    assert_eq!((waiting.len(), shed), (8, CALLERS - 8));
    lab.gauge.release();
    for call in waiting {
        assert_eq!(soon(call).await, Ok(42));
    }
    assert_eq!(lab.gauge.begun(), 8);
}

#[tokio::test]
async fn max_running_holds_over_all_connections() {
    let lab = serve_with("backpressure-running", |server| server.max_running(3));
    let mut calls = Vec::new();
    for _ in 0..5 {
        let client = lab.client().await;
        for _ in 0..5 {
            calls.push(start(&client, |client| async move { client.hold().await }));
        }
    }
    lab.gauge.until_running(3).await;
    for _ in 0..1000 {
        tokio::task::yield_now().await;
        assert_eq!(lab.gauge.begun(), 3);
    }
    lab.gauge.release();
    for call in calls {
        assert_eq!(soon(call).await.unwrap(), Ok(42));
    }
    assert_eq!(lab.gauge.begun(), 25);
}
