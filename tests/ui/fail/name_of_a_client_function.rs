#[pipe_rpc::service]
pub trait Service {
    async fn new(&self);
    async fn connect(&self);
    async fn clone(&self);
}

fn main() {}
