use std::pin::Pin;

use futures_util::Stream;
use pipe_rpc::Streaming;

#[pipe_rpc::service]
pub trait Service {
    async fn search(&self) -> Streaming<u64>;
    async fn find(&self) -> Pin<Box<dyn Stream<Item = u64> + Send>>;
    async fn import(&self, entries: impl Stream<Item = u64>);
}

fn main() {}
