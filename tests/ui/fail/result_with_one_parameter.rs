use std::io;

#[pipe_rpc::service]
pub trait Service {
    async fn read(&self) -> io::Result<Vec<u8>>;
    async fn write(&self) -> std::fmt::Result;
}

fn main() {}
