#[pipe_rpc::service]
pub trait Service {
    #[rpc(oneway)]
    async fn touch(&self) -> u64;
    #[rpc(oneway)]
    async fn try_touch(&self) -> Result<(), String>;
}

fn main() {}
