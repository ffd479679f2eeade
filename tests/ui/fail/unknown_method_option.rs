#[pipe_rpc::service]
pub trait Service {
    #[rpc(one_way)]
    async fn touch(&self);
    #[rpc(retry = 3, limit(5), idempotent, tower::retry)]
    async fn size(&self) -> u64;
}

fn main() {}
