#[pipe_rpc::service]
pub trait Service {
    const fn size(&self) -> u64;
}

fn main() {}
