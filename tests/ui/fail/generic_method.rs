#[pipe_rpc::service]
pub trait Service {
    async fn put<T: Send>(&self, value: T);
    async fn get<'a>(&'a self, key: u64) -> u64;
    async fn size(&self) -> u64
    where
        Self: Sized;
}

fn main() {}
