use pipe_rpc::Context;

#[pipe_rpc::service]
pub trait Service {
    async fn count(&self, pattern: String, cx: &Context) -> u64;
}

fn main() {}
