#[pipe_rpc::service]
pub trait Service {
    async unsafe fn read(&self) -> u8;
}

fn main() {}
