use pipe_rpc::Context;

#[pipe_rpc::service]
pub trait Service {
    async fn count(&self, cx: Context) -> u64;
    async fn change(&self, cx: &mut Context);
}

fn main() {}
