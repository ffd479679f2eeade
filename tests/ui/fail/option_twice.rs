#[pipe_rpc::service]
pub trait Service {
    #[rpc(oneway, oneway)]
    async fn touch(&self);
    #[rpc(timeout = "1s")]
    #[rpc(timeout = "2s")]
    async fn size(&self) -> u64;
}

fn main() {}
