#[pipe_rpc::service]
pub trait Service {
    async fn text(&self, text: impl Into<String>);
}

fn main() {}
