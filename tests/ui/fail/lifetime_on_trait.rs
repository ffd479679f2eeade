#[pipe_rpc::service]
pub trait Service<'a> {
    async fn get(&self, key: String) -> String;
}

fn main() {}
