//! How much of a stream is under way to a reader that does not read: what that end says for all its connections.

#[expect(unreachable_pub, dead_code, reason = "each test file uses a part")]
mod support;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};

use bytes::Bytes;
use futures_util::{Stream, StreamExt as _, stream};
use pipe_rpc::Connect;
use support::streams::{MillClient, read_all, serve, serve_with};
use support::{HANG, soon};

/// The size of items, and what one costs beside.
const SIZE: usize = 1000;
const OVERHEAD: usize = 64;

/// More items than any of the buffers here holds.
const ITEMS: usize = 1100;

/// Buffers, and how many items are sent of a stream that nobody reads: the last one may go beyond.
const BUFFERS: [(u64, usize); 5] = [
    (0, 1),
    (1, 1),
    (SIZE as u64 + OVERHEAD as u64, 1),
    (SIZE as u64 + OVERHEAD as u64 + 1, 2),
    (1 << 20, (1 << 20) / (SIZE + OVERHEAD) + 1),
];

/// A client that lets so much of each stream be under way.
async fn connect(name: &str, stream_buffer: u64) -> MillClient {
    let connect = Connect::to(name).deadline(HANG).handshake_timeout(HANG);
    MillClient::connect(connect.stream_buffer(stream_buffer))
        .await
        .unwrap()
}

/// Waits until so many items were made, and sees that it stays at that.
async fn until_made(client: &MillClient, made: impl Fn() -> usize, items: usize) {
    soon(async {
        while made() < items {
            tokio::task::yield_now().await;
        }
    })
    .await;
    for _ in 0..20 {
        assert_eq!(
            soon(client.echo("there and back".into())).await.unwrap(),
            "there and back"
        );
    }
    assert_eq!(made(), items);
}

/// Blocks, and how many were asked for.
fn counted() -> (impl Stream<Item = Bytes> + Send + 'static, Arc<AtomicUsize>) {
    let made = Arc::<AtomicUsize>::default();
    let count = Arc::clone(&made);
    let block = Bytes::from(vec![7; SIZE]);
    let blocks = stream::iter(0..ITEMS).map(move |_| {
        count.fetch_add(1, SeqCst);
        block.clone()
    });
    (blocks, made)
}

#[tokio::test]
async fn a_client_says_how_much_of_its_results_is_under_way() {
    for (buffer, items) in BUFFERS {
        let mill = serve("buffer-client");
        let client = connect(&mill.name, buffer).await;
        let unread = client.blocks(SIZE as u64, ITEMS as u64).await.unwrap();
        until_made(&client, || mill.gauge.begun(), items).await;
        let (read, error) = read_all(unread).await;
        assert_eq!((read.len(), error), (ITEMS, None), "a buffer of {buffer} bytes");
    }
}

#[tokio::test]
async fn a_server_says_how_much_of_its_arguments_is_under_way() {
    for (buffer, items) in BUFFERS {
        let mill = serve_with("buffer-server", |server| server.stream_buffer(buffer));
        let client = mill.client().await;
        let (blocks, made) = counted();
        let call = tokio::spawn({
            let client = client.clone();
            async move { client.keep(blocks).await }
        });
        until_made(&client, || made.load(SeqCst), items).await;
        mill.gauge.release();
        let size = (ITEMS * SIZE) as u64;
        assert_eq!(soon(call).await.unwrap(), Ok(size), "a buffer of {buffer} bytes");
    }
}

#[tokio::test]
async fn the_buffer_of_a_method_holds_if_it_is_less() {
    // The method's is 1 KiB, which seven items of 100 bytes fill.
    for (buffer, items) in [(1, 1), (164 * 3, 3), (1 << 20, 7)] {
        let mill = serve("buffer-method");
        let client = connect(&mill.name, buffer).await;
        let unread = client.few_blocks(100, ITEMS as u64).await.unwrap();
        until_made(&client, || mill.gauge.begun(), items).await;
        drop(unread);
    }
}
