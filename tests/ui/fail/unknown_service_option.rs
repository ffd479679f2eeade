#[pipe_rpc::service(version = 2)]
pub trait Service {
    async fn size(&self) -> u64;
}

fn main() {}
