#[pipe_rpc::service]
pub struct Service;

#[pipe_rpc::service]
impl Service {}

fn main() {}
