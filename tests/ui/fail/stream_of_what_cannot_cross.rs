use futures_util::Stream;
use pipe_rpc::Streaming;

#[pipe_rpc::service]
pub trait Service {
    async fn search(&self) -> impl Stream<Item = &str>;
    async fn find(&self) -> impl Stream<Item = Result<u64, Box<dyn std::error::Error>>>;
    async fn import(&self, entries: Streaming<u64, &'static str>);
}

fn main() {}
