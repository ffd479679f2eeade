//! A handler that holds its thread does so once; then the server knows, and gives it a task of its own.

#[expect(unreachable_pub, dead_code, reason = "each test file uses a part")]
mod support;

use std::time::{Duration, Instant};

use support::lab::{serve, start};
use support::{LabClient, soon};

/// Well above what makes a method slow.
const LONG: Duration = Duration::from_millis(5);

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn the_second_time_a_blocking_handler_holds_up_nobody() {
    let lab = serve("blocking-handler");
    let channel = lab.channel().await;
    let client = LabClient::new(channel.clone());
    let first = start(&client, |client| async move { client.block().await });
    lab.gauge.until_begun(1).await;
    let began = Instant::now();
    while began.elapsed() < LONG {
        tokio::task::yield_now().await;
    }
    lab.gauge.unblock();
    assert_eq!(soon(first).await.unwrap(), Ok(42));
    lab.gauge.until_running(0).await;

    lab.gauge.block_again();
    let second = start(&client, |client| async move { client.block().await });
    lab.gauge.until_begun(2).await;
    // It blocks, and other calls come and go, also on its own connection; so does a cancel.
    for _ in 0..10 {
        assert_eq!(soon(client.echo("meanwhile".into())).await.unwrap(), "meanwhile");
    }
    soon(channel.ping()).await.unwrap();
    let cancelled = start(&client, |client| async move { client.hold().await });
    lab.gauge.until_running(2).await;
    cancelled.abort();
    lab.gauge.until_running(1).await;
    lab.gauge.unblock();
    assert_eq!(soon(second).await.unwrap(), Ok(42));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn what_comes_behind_the_first_one_is_answered_after_it() {
    let lab = serve("blocking-behind");
    let channel = lab.channel().await;
    let client = LabClient::new(channel.clone());
    let blocking = start(&client, |client| async move { client.block().await });
    lab.gauge.until_begun(1).await;
    let late: Vec<_> = (0..10)
        .map(|call| {
            start(&client, move |client| async move {
                client.echo(call.to_string()).await.unwrap() == call.to_string()
            })
        })
        .collect();
    let cancelled = start(&client, |client| async move { client.hold().await });
    let ping = tokio::spawn(async move { channel.ping().await });
    cancelled.abort();
    lab.gauge.unblock();
    assert_eq!(soon(blocking).await.unwrap(), Ok(42));
    soon(ping).await.unwrap().unwrap();
    lab.gauge.until_running(0).await;
    for call in late {
        assert!(soon(call).await.unwrap());
    }
}
