#[pipe_rpc::service]
pub trait Service {
    #[rpc(name = "big size")]
    async fn size(&self) -> u64;
}

fn main() {}
