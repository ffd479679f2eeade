//! Streams whose readers do not read slow nothing else of their connection: counted in packets, not timed.

#[expect(unreachable_pub, dead_code, reason = "each test file uses a part")]
mod support;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};

use bytes::Bytes;
use futures_util::stream;
use pipe_rpc::{Channel, Config, PipeServer, Server, Streaming};
use rpc_core::testing::frame::{HEADER, MORE};
use support::streams::{MillClient, MillServer, Miller, read_all};
use support::tap::{Tap, Tapped, tapped};
use support::{Gauge, link, soon, unique_name};
use tokio::task::JoinHandle;

/// Sizes of items: a few hundred of them fill a packet, one does, and one needs several.
const SIZES: [usize; 3] = [100, 40_000, 150_000];

/// How many streams of each size there are each way.
const EACH: usize = 2;

/// What a stream begins with unless somebody says otherwise, and what an item costs beside its bytes.
const CREDIT: usize = 256 << 10;
const OVERHEAD: usize = 64;

/// How many small calls are counted at a time.
const CALLS: usize = 200;

/// How many items of that size leave for a reader that does not read; the last one may go beyond the credit.
fn unread(size: usize) -> usize {
    CREDIT.div_ceil(size + OVERHEAD)
}

/// How many of all streams of one way.
fn unread_in_all() -> usize {
    SIZES.iter().map(|size| EACH * unread(*size)).sum()
}

/// What an end has sent.
#[derive(Default)]
struct End {
    packets: AtomicUsize,
    blocks: AtomicUsize,
}

impl Tap for End {
    fn sent(&self, start: &[u8]) {
        self.packets.fetch_add(1, SeqCst);
        self.blocks.fetch_add(blocks(start), SeqCst);
    }

    fn received(&self, _packet: &[u8]) {}
}

/// How many blocks have left whole with a packet: items and fragments without MORE, which are larger than numbers; nothing
/// else here goes in fragments. PROTOCOL.md sections 4 and 5.
fn blocks(start: &[u8]) -> usize {
    const FRAGMENT: u8 = 4;
    const ITEM: u8 = 5;
    let mut blocks = 0;
    let mut rest = start;
    while let Some(header) = rest.get(..HEADER).filter(|_| !start.starts_with(b"pipe-rpc")) {
        let length = u32::from_le_bytes(header[..4].try_into().unwrap()) as usize;
        let (kind, flags) = (header[4], header[5]);
        blocks +=
            usize::from(matches!(kind, FRAGMENT | ITEM) && flags & MORE == 0 && length > size_of::<u64>());
        // The last body may lie elsewhere.
        rest = rest.get(HEADER + length..).unwrap_or_default();
    }
    blocks
}

/// A mill, a client of it, and what both ends of their connection send and receive.
struct Watched {
    client: MillClient,
    gauge: Gauge,
    ends: [Arc<End>; 2],
}

async fn serve(test: &str) -> Watched {
    let (name, gauge) = (unique_name(test), Gauge::default());
    let ends = <[Arc<End>; 2]>::default();
    let listener = PipeServer::bind(&*name).unwrap();
    let server = Server::builder().service(MillServer::new(Miller(gauge.clone())));
    tokio::spawn(server.serve(Tapped(listener, Arc::clone(&ends[1]))));
    let link = tapped(link::connect(&name).await, &ends[0]);
    let client = MillClient::new(Channel::open(link, &Config::default()).await.unwrap());
    Watched { client, gauge, ends }
}

impl Watched {
    /// How many packets the two ends have sent.
    fn packets_sent(&self) -> [usize; 2] {
        self.ends.each_ref().map(|end| end.packets.load(SeqCst))
    }

    /// How many blocks the two ends have sent.
    fn blocks_sent(&self) -> [usize; 2] {
        self.ends.each_ref().map(|end| end.blocks.load(SeqCst))
    }

    /// How many packets of the two ends small calls take, one after the other.
    async fn packets_of_small_calls(&self) -> [usize; 2] {
        let before = self.packets_sent();
        for call in 0..CALLS {
            // With the length of the text, 64 bytes.
            let text = format!("{call:056}");
            assert_eq!(soon(self.client.echo(text.clone())).await, Ok(text));
        }
        let after = self.packets_sent();
        [after[0] - before[0], after[1] - before[1]]
    }

    /// Opens streams from the server that nobody reads.
    async fn stall_downloads(&self) -> Vec<(usize, Streaming<Bytes>)> {
        let mut streams = Vec::new();
        for size in SIZES.repeat(EACH) {
            let items = 2 * unread(size);
            let blocks = self.client.blocks(size as u64, items as u64).await.unwrap();
            streams.push((items, blocks));
        }
        streams
    }

    /// Starts calls that bring streams, of which their handlers read nothing yet; and how much each brings.
    fn stall_uploads(&self) -> Vec<(usize, JoinHandle<u64>)> {
        let upload = |size: usize| {
            let (client, items) = (self.client.clone(), 2 * unread(size));
            let blocks = stream::iter(vec![Bytes::from(vec![7; size]); items]);
            let call = tokio::spawn(async move { client.keep(blocks).await.unwrap() });
            (items * size, call)
        };
        SIZES.repeat(EACH).into_iter().map(upload).collect()
    }

    /// Waits until as much has left each way as may without being read.
    async fn until_all_are_stalled(&self) {
        soon(async {
            while self.blocks_sent() != [unread_in_all(); 2] {
                tokio::task::yield_now().await;
            }
        })
        .await;
    }
}

#[tokio::test]
async fn a_small_call_takes_two_packets_however_many_streams_are_stalled() {
    let watched = serve("stalled-call").await;
    assert_eq!(watched.packets_of_small_calls().await, [CALLS; 2], "nothing else");
    let downloads = watched.stall_downloads().await;
    let uploads = watched.stall_uploads();
    watched.until_all_are_stalled().await;
    assert_eq!(watched.packets_of_small_calls().await, [CALLS; 2], "beside them");
    assert_eq!(watched.blocks_sent(), [unread_in_all(); 2], "they are stalled");
    // They were stalled and not lost.
    watched.gauge.release();
    for (size, call) in uploads {
        assert_eq!(soon(call).await.unwrap(), size as u64);
    }
    for (items, blocks) in downloads {
        let (read, error) = read_all(blocks).await;
        assert_eq!((read.len(), error), (items, None));
    }
}

#[tokio::test]
async fn other_streams_go_on_beside_stalled_ones() {
    const NUMBERS: u64 = 50_000;
    let watched = serve("stalled-streams").await;
    let downloads = watched.stall_downloads().await;
    let uploads = watched.stall_uploads();
    watched.until_all_are_stalled().await;
    // More than their credit, so that credit has to come back to them.
    assert!(NUMBERS as usize * OVERHEAD > 2 * CREDIT);
    let client = &watched.client;
    let numbers = client.count(NUMBERS).await.unwrap();
    let (read, sum, doubled) = tokio::join!(
        read_all(numbers),
        soon(client.sum(stream::iter(0..NUMBERS))),
        async { read_all(client.double(stream::iter(0..NUMBERS)).await.unwrap()).await },
    );
    assert_eq!(read, ((0..NUMBERS).collect(), None));
    assert_eq!(sum, Ok((0..NUMBERS).sum()));
    assert_eq!(doubled, ((0..NUMBERS).map(|number| 2 * number).collect(), None));
    assert_eq!(
        watched.blocks_sent(),
        [unread_in_all(); 2],
        "the others stay stalled"
    );
    assert!(uploads.iter().all(|(_, call)| !call.is_finished()));
    drop(downloads);
}
