//! Sixteen arguments and the context fit; none, and no method at all, do too.
#![deny(warnings)]

#[pipe_rpc::service]
pub trait Service {
    #[allow(clippy::too_many_arguments)]
    #[rustfmt::skip]
    async fn many(&self, cx: &pipe_rpc::Context, a: u8, b: u8, c: u8, d: u8, e: u8, f: u8, g: u8, h: u8, i: u8, j: u8, k: u8, l: u8, m: u8, n: u8, o: u8, p: String) -> u8;
}

#[pipe_rpc::service]
pub trait Smallest {}

#[pipe_rpc::service]
pub trait OnlyContext {
    async fn ask(&self, _: &pipe_rpc::Context);
}

fn main() {}
