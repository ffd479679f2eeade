#[pipe_rpc::service]
pub trait Service {
    type Key: Send;
    const LIMIT: u64;
    async fn size(&self) -> u64;
}

fn main() {}
