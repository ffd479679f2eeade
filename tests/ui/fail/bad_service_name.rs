#[pipe_rpc::service(name = "")]
pub trait Service {
    async fn size(&self) -> u64;
}

fn main() {}
