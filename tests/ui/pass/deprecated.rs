//! `#[deprecated]` reaches the callers and no further.
#![deny(warnings)]

#[pipe_rpc::service]
pub trait Service {
    #[deprecated]
    async fn old(&self) -> u64;
}

#[deprecated]
#[pipe_rpc::service]
pub trait Old {
    async fn size(&self) -> u64;
}

pub async fn call(client: ServiceClient) {
    #[expect(deprecated)]
    drop(client.old().await);
}

fn main() {}
