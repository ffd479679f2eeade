#[pipe_rpc::service]
pub trait Service {
    #[rpc(name = "costarring")]
    async fn first(&self);
    async fn liquid(&self);
}

fn main() {}
