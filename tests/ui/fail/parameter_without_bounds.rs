#[pipe_rpc::service]
pub trait Service<K> {
    async fn put(&self, key: K);
}

fn main() {}
