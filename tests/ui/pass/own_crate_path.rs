//! Who does not depend on pipe-rpc, but on a crate that re-exports it, says where it is.
#![deny(warnings)]

mod sdk {
    pub mod rpc {
        pub use pipe_rpc::*;
    }
}

#[sdk::rpc::service(crate = crate::sdk::rpc)]
pub trait Service {
    async fn size(&self, cx: &sdk::rpc::Context) -> Result<u64, String>;
}

fn main() {}
