//! How many packets a call costs: counted, not timed.

use std::future::Future;
use std::task::{Context, Waker};
use std::thread::available_parallelism;

#[expect(unreachable_pub, dead_code, reason = "each test file uses a part")]
mod support;

/// How many calls are worth a packet.
const SHARE: usize = if cfg!(windows) { 64 } else { 16 };

use support::lab::{serve, serve_with, start};
use support::{LabClient, link, soon};

#[tokio::test]
async fn one_caller_sends_one_packet_a_call() {
    let lab = serve("packets-one");
    let (channel, sent) = link::counted_channel(&lab.name).await;
    let client = LabClient::new(channel);
    let before = sent.passed();
    for _ in 0..1000 {
        soon(client.echo("x".into())).await.unwrap();
    }
    assert_eq!(sent.passed() - before, 1000);
}

#[tokio::test]
async fn many_callers_of_one_thread_share_packets() {
    let lab = serve("packets-many");
    let (channel, sent) = link::counted_channel(&lab.name).await;
    let client = LabClient::new(channel);
    let before = sent.passed();
    let callers: Vec<_> = (0..64)
        .map(|_| {
            start(&client, |client| async move {
                for _ in 0..100 {
                    client.echo("x".into()).await.unwrap();
                }
            })
        })
        .collect();
    for caller in callers {
        soon(caller).await.unwrap();
    }
    let packets = sent.passed() - before;
    // On an idle computer 401, or 101 with one processor. A server thread that is held up answers some of them by themselves.
    assert!(packets < 800, "{packets} packets for {} calls", 64 * 100);
}

#[tokio::test]
async fn a_share_of_the_calls_does_not_wait_for_the_rest() {
    let lab = serve("packets-share");
    let (channel, sent) = link::counted_channel(&lab.name).await;
    let client = LabClient::new(channel);
    soon(client.echo("x".into())).await.unwrap();
    let before = sent.passed();
    let mut calls: Vec<_> = (0..4 * SHARE)
        .map(|_| Box::pin(client.echo("x".into())))
        .collect();
    // The driver does not run before this task waits.
    for call in &mut calls {
        let polled = call.as_mut().poll(&mut Context::from_waker(Waker::noop()));
        assert!(polled.is_pending());
    }
    // The first one by itself, and the others as far as they are whole shares, if another processor may take them.
    let several = available_parallelism().is_ok_and(|processors| processors.get() > 1);
    let begun = if several { 1 + (4 * SHARE - 1) / SHARE } else { 1 };
    assert_eq!(sent.passed() - before, begun);
    for call in calls {
        soon(call).await.unwrap();
    }
    assert_eq!(sent.passed() - before, begun + 1);
}

#[tokio::test]
async fn ten_thousand_waiting_calls_cost_another_caller_nothing() {
    let lab = serve_with("packets-beside", |server| server.max_calls(20_000));
    let (channel, sent) = link::counted_channel(&lab.name).await;
    let client = LabClient::new(channel);
    let waiting: Vec<_> = (0..10_000)
        .map(|_| start(&client, |client| async move { client.hold().await }))
        .collect();
    lab.gauge.until_running(10_000).await;
    let before = sent.passed();
    for _ in 0..1000 {
        soon(client.echo("x".into())).await.unwrap();
    }
    assert_eq!(sent.passed() - before, 1000);
    lab.gauge.release();
    for call in waiting {
        assert_eq!(soon(call).await.unwrap(), Ok(42));
    }
}
