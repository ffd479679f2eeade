use pipe_rpc::service;

#[service(name = "")]
pub trait Service {
    async fn text(&self, text: &str);
    #[rpc(timeout = "soon")]
    fn size(&mut self) -> u64;
    async fn good(&self) -> u64;
}

struct Implementation;

// Nothing is said of these: what is sound is there.
impl Service for Implementation {
    async fn text(&self, _text: &str) {}
    fn size(&mut self) -> u64 {
        0
    }
    async fn good(&self) -> u64 {
        0
    }
}

pub fn server() -> ServiceServer<impl Service> {
    ServiceServer::new(Implementation)
}

pub async fn call(client: ServiceClient) -> Result<u64, pipe_rpc::Fault> {
    client.good().await
}

fn main() {}
