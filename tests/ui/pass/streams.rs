use futures_util::stream::{self, BoxStream};
use pipe_rpc::Streaming;
use serde::Serialize;
use serde::de::DeserializeOwned;

#[derive(Debug, serde::Serialize, serde::Deserialize)]
pub struct Failure;

#[pipe_rpc::service]
pub trait Library<K: Serialize + DeserializeOwned + Send + Sync + Clone + 'static> {
    async fn keys(&self) -> impl futures_util::Stream<Item = K>;
    async fn lent(&self, cx: &pipe_rpc::Context, from: K) -> impl futures_util::Stream<Item = K> + Unpin;
    async fn boxed(&self) -> impl futures_util::Stream<Item = Result<K, Failure>>;
    async fn perhaps(&self) -> Result<impl futures_util::Stream<Item = Result<K, Failure>>, Failure>;
    async fn import(&self, more: bool, keys: Streaming<K>, last: K) -> Result<u64, Failure>;
    #[rpc(buffer = "1MiB")]
    async fn exchange(&self, keys: pipe_rpc::Streaming<K, Failure>) -> Result<impl futures_util::Stream<Item = K>, Failure>;
}

struct Shelf<K>(Vec<K>);

impl<K: Serialize + DeserializeOwned + Send + Sync + Clone + 'static> Library<K> for Shelf<K> {
    async fn keys(&self) -> impl futures_util::Stream<Item = K> {
        // It borrows from the service.
        stream::iter(self.0.iter().cloned())
    }
    async fn lent(&self, cx: &pipe_rpc::Context, from: K) -> impl futures_util::Stream<Item = K> + Unpin {
        let depth = cx.depth();
        stream::iter(self.0.iter().take(usize::from(depth)).cloned().chain([from]))
    }
    async fn boxed(&self) -> impl futures_util::Stream<Item = Result<K, Failure>> {
        let boxed: BoxStream<'_, _> = Box::pin(stream::iter(self.0.iter().cloned().map(Ok)));
        boxed
    }
    async fn perhaps(&self) -> Result<impl futures_util::Stream<Item = Result<K, Failure>>, Failure> {
        self.0.first().map(|first| stream::iter([Ok(first.clone())])).ok_or(Failure)
    }
    async fn import(&self, _more: bool, mut keys: Streaming<K>, _last: K) -> Result<u64, Failure> {
        let mut count = 0;
        while let Some(key) = keys.next().await {
            key.map_err(|_| Failure)?;
            count += 1;
        }
        Ok(count)
    }
    async fn exchange(
        &self,
        keys: pipe_rpc::Streaming<K, Failure>,
    ) -> Result<impl futures_util::Stream<Item = K>, Failure> {
        use futures_util::StreamExt as _;
        Ok(keys.filter_map(|key| async { key.ok() }))
    }
}

async fn use_it(client: LibraryClient<String>) -> Option<()> {
    let mut keys = client.keys().await.ok()?;
    let _: Option<Result<String, pipe_rpc::CallError<pipe_rpc::NoError>>> = keys.next().await;
    let count: Result<u64, _> = client.import(true, stream::iter(["a".to_owned()]), "b".into()).await;
    count.ok()?;
    let mut changed = client.exchange(stream::iter([Err(Failure)])).await.ok()?;
    changed.next().await.map(drop)
}

fn main() {
    let _ = LibraryServer::new(Shelf(vec![1_u8]));
    let _ = use_it;
}
