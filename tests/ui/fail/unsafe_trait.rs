#[pipe_rpc::service]
pub unsafe trait Service {
    async fn size(&self) -> u64;
}

fn main() {}
