use pipe_rpc::Streaming;

#[pipe_rpc::service]
pub trait Service {
    async fn merge(&self, left: Streaming<u64>, right: Streaming<u64>) -> u64;
}

fn main() {}
