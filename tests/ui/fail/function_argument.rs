#[pipe_rpc::service]
pub trait Service {
    async fn run(&self, task: fn(u8) -> u8);
}

fn main() {}
