use futures_util::Stream;
use pipe_rpc::Streaming;

#[pipe_rpc::service]
pub trait Service {
    #[rpc(oneway)]
    async fn send(&self, entries: Streaming<u64>);
    #[rpc(oneway)]
    async fn search(&self) -> impl Stream<Item = u64>;
    #[rpc(idempotent)]
    async fn import(&self, entries: Streaming<u64>) -> u64;
    #[rpc(buffer = "64KiB")]
    async fn size(&self) -> u64;
    #[rpc(buffer = "64 kilobytes")]
    async fn find(&self) -> impl Stream<Item = u64>;
    #[rpc(buffer = "0KiB")]
    async fn find_next(&self) -> impl Stream<Item = u64>;
    #[rpc(buffer = "64MiB")]
    async fn find_all(&self) -> impl Stream<Item = u64>;
}

fn main() {}
