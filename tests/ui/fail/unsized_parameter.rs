#[pipe_rpc::service]
pub trait Service<K: ?Sized + Send + Sync + 'static> {
    async fn get(&self, key: Box<K>);
}

fn main() {}
