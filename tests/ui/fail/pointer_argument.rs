#[pipe_rpc::service]
pub trait Service {
    async fn free(&self, memory: *mut u8);
}

fn main() {}
