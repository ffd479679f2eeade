//! Clients without async: with no runtime around them, inside one, and from several threads.
#![cfg(feature = "blocking")]

#[expect(unreachable_pub, dead_code, reason = "each test file uses a part")]
mod support;

use std::time::Duration;

use pipe_rpc::{Connect, Outcome, Reason};
use support::lab::{LabBlockingClient, Served, serve};
use tokio::runtime::Runtime;

/// A lab served by a runtime on threads of its own.
fn lab(test: &str) -> (Runtime, Served) {
    let runtime = Runtime::new().unwrap();
    let lab = {
        let _inside = runtime.enter();
        serve(test)
    };
    (runtime, lab)
}

fn call_it(name: &str) {
    let client = LabBlockingClient::connect(name).unwrap();
    for call in 0..20 {
        assert_eq!(client.echo(call.to_string()).unwrap(), call.to_string());
    }
    assert_eq!(client.take(vec![7; 1 << 20].into()).unwrap(), 1 << 20);
    client.touch().unwrap();
}

#[test]
fn a_blocking_client_needs_no_runtime() {
    let (_runtime, lab) = lab("blocking-none");
    call_it(&lab.name);
}

#[test]
fn a_blocking_client_works_inside_a_runtime_of_many_threads() {
    let (_runtime, lab) = lab("blocking-many");
    let inside = Runtime::new().unwrap();
    let name = lab.name.clone();
    inside
        .block_on(inside.spawn(async move { call_it(&name) }))
        .unwrap();
    inside.block_on(async { call_it(&lab.name) });
}

#[test]
fn a_blocking_client_works_inside_a_runtime_of_one_thread() {
    let (_runtime, lab) = lab("blocking-one");
    let inside = tokio::runtime::Builder::new_current_thread().build().unwrap();
    inside.block_on(async { call_it(&lab.name) });
    let name = lab.name.clone();
    inside.block_on(async { tokio::task::spawn_blocking(move || call_it(&name)).await.unwrap() });
}

#[test]
fn threads_share_a_blocking_client() {
    let (_runtime, lab) = lab("blocking-threads");
    let client = LabBlockingClient::connect(&lab.name).unwrap();
    std::thread::scope(|scope| {
        for thread in 0..8 {
            let client = client.clone();
            scope.spawn(move || {
                for call in 0..50 {
                    let text = format!("{thread}.{call}");
                    assert_eq!(client.echo(text.clone()).unwrap(), text);
                }
            });
        }
    });
}

#[test]
fn a_blocking_call_ends_when_its_server_does() {
    let (runtime, lab) = lab("blocking-lost");
    let client = LabBlockingClient::connect(&lab.name).unwrap();
    let call = std::thread::spawn(move || client.hold().unwrap_err());
    runtime.block_on(lab.gauge.until_running(1));
    runtime.shutdown_background();
    let fault = call.join().unwrap();
    assert_eq!(fault.outcome(), Outcome::MayHaveRun);
    // Whichever the server's runtime drops first: the handler, which then says that it was dropped, or the connection.
    let reasons = [Reason::Cancelled, Reason::ConnectionLost];
    assert!(reasons.contains(&fault.reason()), "{fault}");
}

#[test]
fn a_blocking_client_that_is_dropped_leaves_its_server_nothing_to_do() {
    let (runtime, lab) = lab("blocking-drop");
    for _ in 0..20 {
        let client = LabBlockingClient::connect(&lab.name).unwrap();
        client.touch_hold().unwrap();
        drop(client);
    }
    runtime.block_on(lab.gauge.until_running(20));
    lab.gauge.release();
    runtime.block_on(lab.gauge.until_running(0));
}

#[test]
fn a_blocking_connect_says_what_an_async_one_does() {
    let nobody = support::unique_name("blocking-nobody");
    let connect = Connect::to(nobody.as_str()).deadline(Duration::from_secs(1));
    let error = LabBlockingClient::connect(connect).unwrap_err().to_string();
    assert!(error.starts_with("no server listens on `"), "{error}");
}
