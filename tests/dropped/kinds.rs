//! The kinds of calls, and how one is made and looked at.

use bytes::Bytes;
use futures_util::stream::{self, Stream, StreamExt};
use pipe_rpc::Caller;
use tokio::task::yield_now;

use super::subject::SubjectClient;

/// More than a pipe holds, and more than the window.
pub(super) const LARGE: usize = 400_000;

/// The kinds of calls. A further one is a line here and one in [`make`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Small,
    LargeRequest,
    LargeResponse,
    Oneway,
    LargeOneway,
    Nested,
    CallBack,
    Download,
    LargeDownload,
    Upload,
    LargeUpload,
    BothWays,
}

pub(super) const KINDS: [Kind; 12] = [
    Kind::Small,
    Kind::LargeRequest,
    Kind::LargeResponse,
    Kind::Oneway,
    Kind::LargeOneway,
    Kind::Nested,
    Kind::CallBack,
    Kind::Download,
    Kind::LargeDownload,
    Kind::Upload,
    Kind::LargeUpload,
    Kind::BothWays,
];

/// Makes a call of the kind. Whether it came to its result, which then has to be right.
pub(super) async fn make<S: Caller>(kind: Kind, client: SubjectClient<S>) -> bool {
    let large = || Bytes::from(vec![7; LARGE]);
    let text = || "as it went".to_owned();
    fn is<T: PartialEq + std::fmt::Debug, E>(result: Result<T, E>, right: T) -> bool {
        let came = result.is_ok();
        result.into_iter().for_each(|result| assert_eq!(result, right));
        came
    }
    match kind {
        Kind::Small => is(client.small(text()).await, text()),
        Kind::LargeRequest => is(client.take(large()).await, LARGE as u64),
        Kind::LargeResponse => is(client.give(LARGE as u64).await, large()),
        Kind::Oneway => client.touch().await.is_ok(),
        Kind::LargeOneway => client.touch_bytes(large()).await.is_ok(),
        Kind::Nested => is(client.nested(text()).await, text()),
        Kind::CallBack => is(client.call_back(text()).await, text()),
        Kind::Download => download(client, 5, 600).await,
        Kind::LargeDownload => download(client, 2, LARGE).await,
        Kind::Upload => is(client.upload(blocks(5, 600)).await, 3000),
        Kind::LargeUpload => is(client.upload(blocks(2, LARGE)).await, 2 * LARGE as u64),
        Kind::BothWays => match client.both_ways(blocks(5, 600)).await {
            Ok(lengths) => {
                lengths
                    .map(|length| length.is_ok_and(|length| length == 600))
                    .collect::<Vec<_>>()
                    .await
                    == [true; 5]
            }
            Err(_) => false,
        },
    }
}

async fn download<S: Caller>(client: SubjectClient<S>, items: u64, size: usize) -> bool {
    let Ok(mut blocks) = client.download(items, size as u64).await else {
        return false;
    };
    let mut count = 0;
    while let Some(block) = blocks.next().await {
        let Ok(block) = block else { return false };
        assert_eq!(block.len(), size);
        count += 1;
    }
    assert_eq!(count, items, "half a stream never looks whole");
    true
}

fn blocks(items: usize, size: usize) -> impl Stream<Item = Bytes> + Send + 'static {
    stream::iter(0..items).then(move |_| async move {
        yield_now().await;
        Bytes::from(vec![7; size])
    })
}

/// Runs the harness for each kind.
pub(super) async fn each_kind(sweep: impl AsyncFn(Kind)) {
    for kind in KINDS {
        // Shown if it fails.
        println!("{kind:?}");
        sweep(kind).await;
    }
}

/// Those that need no other server and no services of the client's.
pub(super) fn kinds_alone() -> impl Iterator<Item = Kind> {
    KINDS
        .into_iter()
        .filter(|kind| !matches!(kind, Kind::Nested | Kind::CallBack))
}
