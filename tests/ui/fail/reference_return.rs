#[pipe_rpc::service]
pub trait Service {
    async fn text(&self) -> &str;
    async fn words(&self) -> Result<Vec<&'static str>, u8>;
}

fn main() {}
