//! The service whose calls are dropped: a method for each kind of call, with an await before and one after what it does.

use std::sync::{Arc, Mutex};

use bytes::Bytes;
use futures_util::stream::{self, Stream, StreamExt};
use pipe_rpc::{Channel, Context, Streaming};
use tokio::task::yield_now;

use super::support::Gauge;

#[pipe_rpc::service]
pub(super) trait Subject {
    async fn small(&self, text: String) -> String;
    async fn take(&self, bytes: Bytes) -> u64;
    async fn give(&self, size: u64) -> Bytes;
    #[rpc(oneway)]
    async fn touch(&self);
    #[rpc(oneway)]
    async fn touch_bytes(&self, bytes: Bytes);
    /// Calls another server, twice.
    async fn nested(&self, text: String) -> String;
    /// Calls its caller, twice.
    async fn call_back(&self, cx: &Context, text: String) -> String;
    #[rpc(buffer = "1KiB")]
    async fn download(&self, items: u64, size: u64) -> impl Stream<Item = Bytes>;
    #[rpc(buffer = "1KiB")]
    async fn upload(&self, items: Streaming<Bytes>) -> u64;
    #[rpc(buffer = "1KiB")]
    async fn both_ways(&self, items: Streaming<Bytes>) -> impl Stream<Item = u64>;
    /// Hands the server's end of the connection over to the test.
    async fn meet(&self, cx: &Context);
    /// Runs until the test releases it.
    async fn hold(&self, bytes: Bytes) -> u64;
}

/// Has an await before and one after whatever it does.
#[derive(Clone, Default)]
pub(super) struct Handling {
    pub(super) gauge: Gauge,
    /// Where `nested` calls.
    pub(super) other: Option<SubjectClient>,
    pub(super) met: Arc<Mutex<Option<Channel>>>,
}

async fn length(mut items: Streaming<Bytes>) -> u64 {
    let mut length = 0;
    while let Some(Ok(item)) = items.next().await {
        length += item.len() as u64;
        yield_now().await;
    }
    length
}

impl Subject for Handling {
    async fn small(&self, text: String) -> String {
        let _here = self.gauge.enter();
        yield_now().await;
        yield_now().await;
        text
    }
    async fn take(&self, bytes: Bytes) -> u64 {
        let _here = self.gauge.enter();
        yield_now().await;
        assert!(bytes.iter().all(|byte| *byte == 7), "a torn body");
        bytes.len() as u64
    }
    async fn give(&self, size: u64) -> Bytes {
        let _here = self.gauge.enter();
        yield_now().await;
        vec![7; usize::try_from(size).unwrap()].into()
    }
    async fn touch(&self) {
        let _here = self.gauge.enter();
        yield_now().await;
    }
    async fn touch_bytes(&self, bytes: Bytes) {
        let _here = self.gauge.enter();
        yield_now().await;
        assert!(bytes.iter().all(|byte| *byte == 7), "a torn body");
    }
    async fn nested(&self, text: String) -> String {
        let _here = self.gauge.enter();
        let other = self.other.as_ref().expect("this server has another");
        let once = other.small(text).await.unwrap();
        other.small(once).await.unwrap()
    }
    async fn call_back(&self, cx: &Context, text: String) -> String {
        let _here = self.gauge.enter();
        let caller = cx.peer::<SubjectClient>();
        let once = caller.small(text).await.unwrap();
        caller.small(once).await.unwrap()
    }
    async fn download(&self, items: u64, size: u64) -> impl Stream<Item = Bytes> {
        let here = self.gauge.enter();
        yield_now().await;
        let item = Bytes::from(vec![7; usize::try_from(size).unwrap()]);
        stream::iter(0..items).then(move |_| {
            let _ = &here;
            let item = item.clone();
            async move {
                yield_now().await;
                item
            }
        })
    }
    async fn upload(&self, items: Streaming<Bytes>) -> u64 {
        let _here = self.gauge.enter();
        length(items).await
    }
    async fn both_ways(&self, items: Streaming<Bytes>) -> impl Stream<Item = u64> {
        let here = self.gauge.enter();
        yield_now().await;
        items.filter_map(move |item| {
            let _ = &here;
            async move { Some(item.ok()?.len() as u64) }
        })
    }
    async fn meet(&self, cx: &Context) {
        *self.met.lock().unwrap() = Some(cx.peer_channel());
    }
    async fn hold(&self, bytes: Bytes) -> u64 {
        let _here = self.gauge.enter();
        self.gauge.released().await;
        bytes.len() as u64
    }
}
