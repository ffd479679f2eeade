type Result<A, B, C> = std::result::Result<(A, B), C>;

#[pipe_rpc::service]
pub trait Service {
    async fn read(&self) -> Result<u8, u16, u32>;
}

fn main() {}
