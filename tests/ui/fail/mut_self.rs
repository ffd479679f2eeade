#[pipe_rpc::service]
pub trait Service {
    async fn change(&mut self);
}

fn main() {}
