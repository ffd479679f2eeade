#[pipe_rpc::service]
pub trait Service {
    #[rpc(max_body = "2 elephants")]
    async fn huge(&self);
    #[rpc(max_body = "0B")]
    async fn nothing(&self);
    #[rpc(max_body = 1024)]
    async fn unitless(&self);
}

fn main() {}
