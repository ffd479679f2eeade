#[pipe_rpc::service]
pub trait Service {
    #[rpc(timeout = "2 parsecs")]
    async fn far(&self);
    #[rpc(timeout = "0s")]
    async fn at_once(&self);
    #[rpc(timeout = 5)]
    async fn unitless(&self);
}

fn main() {}
