#[pipe_rpc::service]
pub trait Service {
    async fn make(size: u64) -> u64;
}

fn main() {}
