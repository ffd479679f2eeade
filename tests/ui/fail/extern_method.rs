#[pipe_rpc::service]
pub trait Service {
    async extern "C" fn read(&self) -> u8;
}

fn main() {}
