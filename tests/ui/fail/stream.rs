use std::iter::Iterator as Stream;

pub struct Streaming<T>(T);

#[pipe_rpc::service]
pub trait Service {
    async fn search(&self) -> impl Stream<Item = u64>;
    async fn import(&self, entries: Streaming<u64>);
}

fn main() {}
