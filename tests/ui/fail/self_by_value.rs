#[pipe_rpc::service]
pub trait Service {
    async fn consume(self);
    async fn boxed(self: Box<Self>);
}

fn main() {}
