use futures_util::Stream;
use pipe_rpc::Streaming;

#[pipe_rpc::service]
pub trait Service {
    async fn search(&self) -> impl Stream;
    async fn find(&self) -> Result<impl Stream, u8>;
    async fn import(&self, entries: Streaming);
}

fn main() {}
