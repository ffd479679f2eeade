//! Streams as results and as arguments: their items, their ends, and what becomes of them when one side stops.

#[expect(unreachable_pub, dead_code, reason = "each test file uses a part")]
mod support;

use futures_util::StreamExt as _;
use futures_util::stream;
use pipe_rpc::{CallError, Outcome, Reason};
use support::soon;
use support::streams::{Refusal, read_all, serve};
use tokio::sync::mpsc;

/// A stream that a test feeds.
fn fed<T: Send + 'static>() -> (
    mpsc::UnboundedSender<T>,
    impl futures_util::Stream<Item = T> + Send + 'static,
) {
    let (sender, mut receiver) = mpsc::unbounded_channel();
    (sender, stream::poll_fn(move |cx| receiver.poll_recv(cx)))
}

#[tokio::test]
async fn every_item_arrives_in_order_and_then_the_end() {
    let mill = serve("streams-order");
    let client = mill.client().await;
    for end in [0, 1, 2, 1000, 20_000] {
        let (numbers, error) = read_all(client.count(end).await.unwrap()).await;
        assert_eq!(numbers, Vec::from_iter(0..end));
        assert_eq!(error, None);
    }
    assert_eq!(client.echo("after".into()).await.unwrap(), "after");
}

#[tokio::test]
async fn the_first_value_is_read_before_the_last_is_made() {
    let mill = serve("streams-first");
    let client = mill.client().await;
    let mut numbers = client.one_then_hold().await.unwrap();
    assert_eq!(soon(numbers.next()).await, Some(Ok(1)));
    mill.gauge.release();
    assert_eq!(soon(numbers.next()).await, Some(Ok(2)));
    assert_eq!(soon(numbers.next()).await, None);
}

#[tokio::test]
async fn an_error_in_the_middle_is_the_last_item() {
    let mill = serve("streams-error");
    let client = mill.client().await;
    for after in [0, 3, 5000] {
        let (numbers, error) = read_all(client.fail_after(after).await.unwrap()).await;
        assert_eq!(numbers.len() as u64, after);
        assert_eq!(error, Some(CallError::Failed(Refusal { after })));
    }
}

#[tokio::test]
async fn a_panic_in_the_middle_is_one_error() {
    let mill = serve("streams-panic");
    let client = mill.client().await;
    for after in [0, 3, 5000] {
        let (numbers, error) = read_all(client.panic_after(after).await.unwrap()).await;
        assert_eq!(numbers, Vec::from_iter(0..after));
        let fault = error.as_ref().and_then(CallError::fault).unwrap();
        assert_eq!(fault.reason(), Reason::Panicked);
        assert!(fault.to_string().contains("on purpose"), "{fault}");
    }
    assert_eq!(client.echo("after".into()).await.unwrap(), "after");
}

#[tokio::test]
async fn a_method_may_refuse_to_open_its_stream() {
    let mill = serve("streams-refuse");
    let client = mill.client().await;
    let refused = client.perhaps(false).await.map(drop);
    assert_eq!(refused, Err(CallError::Failed(Refusal { after: 0 })));
    let (numbers, error) = read_all(client.perhaps(true).await.unwrap()).await;
    assert_eq!((numbers, error), (vec![1, 2], None));
}

#[tokio::test]
async fn a_dropped_stream_drops_the_servers() {
    let mill = serve("streams-dropped");
    let client = mill.client().await;
    for times in 1..=20 {
        let mut numbers = client.forever().await.unwrap();
        for number in 0..times {
            assert_eq!(soon(numbers.next()).await, Some(Ok(number)));
        }
        mill.gauge.until_running(1).await;
        drop(numbers);
        soon(mill.gauge.until_running(0)).await;
    }
    assert_eq!(client.echo("after".into()).await.unwrap(), "after");
}

#[tokio::test]
async fn a_stream_that_nobody_reads_stops_its_sender_and_nobody_else() {
    let mill = serve("streams-slow");
    let client = mill.client().await;
    let block = 1000;
    let mut slow = client.blocks(block, 1_000_000).await.unwrap();
    assert!(soon(slow.next()).await.unwrap().is_ok());
    // 256 KiB are under way, and some have been read ahead of this.
    for _ in 0..50 {
        let (numbers, _) = read_all(client.count(1000).await.unwrap()).await;
        assert_eq!(numbers.len(), 1000);
        assert_eq!(client.echo("beside".into()).await.unwrap(), "beside");
    }
    let made = mill.gauge.begun() as u64;
    assert!(made * block <= 2 * 256 * 1024, "{made} blocks were made");
    drop(slow);
    let (numbers, _) = read_all(client.count(10).await.unwrap()).await;
    assert_eq!(numbers.len(), 10);
}

#[tokio::test]
async fn a_buffer_says_how_much_is_under_way() {
    let mill = serve("streams-buffer");
    let client = mill.client().await;
    let mut slow = client.few_blocks(100, 1000).await.unwrap();
    assert!(soon(slow.next()).await.unwrap().is_ok());
    for _ in 0..10 {
        client.echo("beside".into()).await.unwrap();
    }
    let made = mill.gauge.begun();
    // 1 KiB is six of them at 164 bytes each, and one that goes beyond; some were read.
    assert!(made <= 16, "{made} blocks were made");
    let (rest, error) = read_all(slow).await;
    assert_eq!((rest.len(), error), (999, None));
}

#[tokio::test]
async fn items_of_any_size_arrive_whole() {
    let mill = serve("streams-sizes");
    let client = mill.client().await;
    for size in [
        0,
        1,
        4095,
        4096,
        65_000,
        65_519,
        65_520,
        65_521,
        70_000,
        1 << 20,
        5 << 20,
    ] {
        let (blocks, error) = read_all(client.blocks(size, 5).await.unwrap()).await;
        assert_eq!(error, None);
        assert_eq!(blocks.len(), 5);
        assert!(
            blocks
                .iter()
                .all(|block| block.len() as u64 == size && block.iter().all(|b| *b == 7))
        );
    }
}

#[tokio::test]
async fn an_upload_is_summed() {
    let mill = serve("streams-upload");
    let client = mill.client().await;
    for end in [0, 1, 100, 20_000_u64] {
        let sum = soon(client.sum(stream::iter(0..end))).await.unwrap();
        assert_eq!(sum, (0..end).sum::<u64>());
    }
    assert_eq!(client.echo("after".into()).await.unwrap(), "after");
}

#[tokio::test]
async fn an_upload_that_fails_ends_with_its_error() {
    let mill = serve("streams-upload-error");
    let client = mill.client().await;
    let items = stream::iter([Ok(1), Ok(2), Err(Refusal { after: 2 }), Ok(100)]);
    let failed = soon(client.sum_fallible(10, items)).await;
    assert_eq!(failed, Err(CallError::Failed(Refusal { after: 2 })));
    let whole = soon(client.sum_fallible(10, stream::iter([Ok(1), Ok(2)]))).await;
    assert_eq!(whole, Ok(13));
}

#[tokio::test]
async fn an_upload_that_panics_never_looks_whole() {
    let mill = serve("streams-upload-panic");
    let client = mill.client().await;
    let items = stream::iter(0..).inspect(|n| assert!(*n < 5, "on purpose"));
    let failed = soon(client.sum(items)).await;
    assert_eq!(failed, Err(CallError::Failed(Refusal { after: 5 })));
    assert_eq!(client.echo("after".into()).await.unwrap(), "after");
}

#[tokio::test]
async fn an_upload_that_the_method_does_not_read_to_its_end_is_dropped() {
    let mill = serve("streams-upload-stop");
    let client = mill.client().await;
    let (sender, items) = fed();
    let summed = tokio::spawn({
        let client = client.clone();
        async move { client.sum_first(3, items).await }
    });
    for number in 1..=3 {
        sender.send(number).unwrap();
    }
    // The method runs on; its caller's stream is gone all the same.
    soon(mill.gauge.until_begun(1)).await;
    soon(sender.closed()).await;
    mill.gauge.release();
    assert_eq!(soon(summed).await.unwrap(), Ok(6));
}

#[tokio::test]
async fn an_upload_of_a_dropped_call_is_dropped_and_so_is_the_handler() {
    let mill = serve("streams-upload-dropped");
    let client = mill.client().await;
    for _ in 0..20 {
        let (sender, items) = fed();
        let summed = tokio::spawn({
            let client = client.clone();
            async move { client.sum(items).await }
        });
        sender.send(1).unwrap();
        soon(mill.gauge.until_running(1)).await;
        summed.abort();
        soon(mill.gauge.until_running(0)).await;
        soon(sender.closed()).await;
    }
    assert_eq!(client.echo("after".into()).await.unwrap(), "after");
}

#[tokio::test]
async fn an_upload_that_nobody_reads_stops_its_sender() {
    let mill = serve("streams-upload-slow");
    let client = mill.client().await;
    let (sent, mut made) = mpsc::unbounded_channel();
    let block = bytes::Bytes::from(vec![7; 1000]);
    let items = stream::iter(0..2000).map(move |n| {
        sent.send(n).unwrap();
        block.clone()
    });
    let kept = tokio::spawn({
        let client = client.clone();
        async move { client.keep(items).await }
    });
    soon(mill.gauge.until_running(1)).await;
    for _ in 0..50 {
        client.echo("beside".into()).await.unwrap();
    }
    let mut count = 0;
    while made.try_recv().is_ok() {
        count += 1;
    }
    assert!(count <= 256 * 1024 / 1064 + 1, "{count} blocks were made");
    mill.gauge.release();
    assert_eq!(soon(kept).await.unwrap(), Ok(2_000_000));
}

#[tokio::test]
async fn both_ways_at_once_items_answer_items() {
    let mill = serve("streams-both");
    let client = mill.client().await;
    let (sender, items) = fed();
    let mut doubled = soon(client.double(items)).await.unwrap();
    for number in 0..1000 {
        sender.send(number).unwrap();
        assert_eq!(soon(doubled.next()).await, Some(Ok(2 * number)));
    }
    drop(sender);
    assert_eq!(soon(doubled.next()).await, None);
    soon(mill.gauge.until_running(0)).await;
}

#[tokio::test]
async fn a_dropped_stream_drops_the_upload_behind_it() {
    let mill = serve("streams-both-dropped");
    let client = mill.client().await;
    let (sender, items) = fed();
    let mut doubled = soon(client.double(items)).await.unwrap();
    sender.send(1).unwrap();
    assert_eq!(soon(doubled.next()).await, Some(Ok(2)));
    drop(doubled);
    soon(sender.closed()).await;
    soon(mill.gauge.until_running(0)).await;
}

#[tokio::test]
async fn a_lost_server_is_one_error_and_never_an_end() {
    let mill = serve("streams-lost");
    let client = mill.client().await;
    let mut numbers = client.one_then_hold().await.unwrap();
    assert_eq!(soon(numbers.next()).await, Some(Ok(1)));
    mill.serving.abort();
    let (rest, error) = read_all(numbers).await;
    assert_eq!(rest, [0_u64; 0]);
    let fault = error.as_ref().and_then(CallError::fault).unwrap();
    assert_eq!(fault.outcome(), Outcome::MayHaveRun);
    assert_eq!(fault.reason(), Reason::ConnectionLost);
}

#[tokio::test]
async fn a_deadline_ends_a_stream() {
    let mill = serve("streams-deadline");
    let client = mill
        .client()
        .await
        .with_timeout(std::time::Duration::from_millis(300));
    let numbers = client.one_then_hold().await.unwrap();
    let (numbers, error) = read_all(numbers).await;
    assert_eq!(numbers, [1]);
    let fault = error.as_ref().and_then(CallError::fault).unwrap();
    assert_eq!(fault.reason(), Reason::DeadlineExceeded);
    soon(mill.gauge.until_running(0)).await;
}
