#[pipe_rpc::service]
pub trait Service {
    async fn text(&self, text: &str);
    async fn bytes(&self, bytes: &[u8], limit: Option<&u32>);
    async fn path(&self, path: &std::path::Path);
}

fn main() {}
