#[pipe_rpc::service]
pub trait Service {
    async fn point(&self, (x, y): (u32, u32));
    async fn nameless(&self, _: u32);
}

fn main() {}
