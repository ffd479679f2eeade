#[pipe_rpc::service]
pub trait Service {
    async fn copy(&self) -> Self;
}

fn main() {}
