//! Calls are the same whichever way the pipe keeps packets apart.

#[expect(unreachable_pub, dead_code, reason = "each test file uses a part")]
mod support;

use pipe_rpc::{Connect, Framing, PipeServer, Server};
use support::lab::{LabServer, Laboratory, all_is_well, start};
use support::{Gauge, LabClient, soon, unique_name};

/// Serves a lab, connects, and calls in every way.
async fn everything_over(framing: Framing) {
    let (name, gauge) = (unique_name("framings"), Gauge::default());
    let listener = PipeServer::builder(name.as_str())
        .framing(framing)
        .bind()
        .unwrap();
    let service = LabServer::new(Laboratory(gauge.clone()));
    tokio::spawn(Server::builder().max_calls(64).service(service).serve(listener));
    let connect = Connect::to(name.as_str()).framing(framing);
    let client = LabClient::new(connect.open().await.unwrap());

    for size in [0, 1, 4095, 4096, 65_500, 65_535, 65_536, 65_537, 200_000, 5 << 20] {
        let bytes: Vec<u8> = vec![7; size];
        assert_eq!(soon(client.take(bytes.into())).await, Ok(size as u64));
        let given = soon(client.give(size as u64)).await.unwrap();
        assert!(
            given.len() == size && given.iter().all(|byte| *byte == 7),
            "{size} bytes"
        );
    }
    client.touch_bytes(vec![7; 1 << 20].into()).await.unwrap();
    let calls: Vec<_> = (0..500)
        .map(|call| {
            start(&client, move |client| async move {
                client.echo(call.to_string()).await.unwrap() == call.to_string()
            })
        })
        .collect();
    for call in calls {
        assert!(soon(call).await.unwrap());
    }
    let cancelled = start(&client, |client| async move { client.hold().await });
    gauge.until_running(1).await;
    cancelled.abort();
    assert!(soon(client.panic()).await.is_err());
    all_is_well(&client, &gauge, 64).await;
}

#[tokio::test]
async fn every_kind_of_call_works_over_native_packets() {
    everything_over(Framing::Native).await;
}

#[tokio::test]
async fn every_kind_of_call_works_over_prefixed_packets() {
    everything_over(Framing::Prefixed).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_kind_of_call_works_over_native_packets_on_many_threads() {
    everything_over(Framing::Native).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_kind_of_call_works_over_prefixed_packets_on_many_threads() {
    everything_over(Framing::Prefixed).await;
}
