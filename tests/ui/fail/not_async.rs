#[pipe_rpc::service]
pub trait Service {
    fn size(&self) -> u64;
    fn later(&self) -> impl Future<Output = u64>;
}

fn main() {}
