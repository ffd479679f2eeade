#[pipe_rpc::service]
pub trait Service {
    async fn open(&self, #[cfg(unix)] mode: u32);
}

fn main() {}
