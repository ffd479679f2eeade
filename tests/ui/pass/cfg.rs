//! What is under a `#[cfg]` is nowhere else, and the methods after it keep their places.
#![deny(warnings)]

use pipe_rpc::__private::Mount;

#[pipe_rpc::service]
pub trait Service {
    #[cfg(any())]
    async fn never(&self, missing: Missing) -> Missing;
    async fn first(&self);
    #[cfg(all())]
    async fn size(&self) -> u64;
    #[cfg(any())]
    async fn size(&self) -> Missing;
    #[allow(non_snake_case)]
    async fn Last(&self);
}

#[cfg(any())]
#[pipe_rpc::service]
pub trait Gone {
    async fn never(&self, missing: Missing) -> Missing;
}

#[pipe_rpc::service]
#[cfg(any())]
pub trait GoneToo {
    async fn never(&self, missing: Missing) -> Missing;
}

struct Implementation;

impl Service for Implementation {
    async fn first(&self) {}
    async fn size(&self) -> u64 {
        0
    }
    #[allow(non_snake_case)]
    async fn Last(&self) {}
}

pub fn call<S: pipe_rpc::__private::Caller>(client: &ServiceClient<S>) {
    drop((client.first(), client.size(), client.Last()));
}

fn main() {
    let server = ServiceServer::new(Implementation);
    let names: Vec<&str> = server.methods().iter().map(|method| method.name).collect();
    assert_eq!(names, ["first", "size", "Last"]);
}
