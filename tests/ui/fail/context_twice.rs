use pipe_rpc::Context;

#[pipe_rpc::service]
pub trait Service {
    async fn count(&self, cx: &Context, again: &Context) -> u64;
}

fn main() {}
