use futures_util::Stream;
use pipe_rpc::Streaming;

#[pipe_rpc::service]
pub trait Service {
    async fn search(&self) -> Option<impl Stream<Item = u64>>;
    async fn find(&self) -> (u64, impl Stream<Item = u64>);
    async fn import(&self, entries: Vec<Streaming<u64>>);
}

fn main() {}
