//! How many packets a call costs: counted, not timed.

#[expect(unreachable_pub, dead_code, reason = "each test file uses a part")]
mod support;

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
    // 101 on an idle computer. A server thread that is held up answers some of them by themselves.
    assert!(packets < 500, "{packets} packets for {} calls", 64 * 100);
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
