#[pipe_rpc::service]
pub trait Service {
    #[rpc(oneway, finish)]
    async fn touch(&self);
}

fn main() {}
