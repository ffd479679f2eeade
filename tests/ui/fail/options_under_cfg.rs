#[pipe_rpc::service]
pub trait Service {
    #[cfg_attr(unix, rpc(oneway))]
    async fn touch(&self);
}

fn main() {}
