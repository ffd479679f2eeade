#[pipe_rpc::service]
pub trait Service {
    async fn size(&self) -> u64;
    #[rpc(name = "size")]
    async fn length(&self) -> u64;
}

fn main() {}
