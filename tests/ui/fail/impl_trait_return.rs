#[pipe_rpc::service]
pub trait Service {
    async fn words(&self) -> impl Iterator<Item = String>;
}

fn main() {}
