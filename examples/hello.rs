//! The smallest whole program: a service, its server and a client, over a real pipe.
//!
//! ```text
//! cargo run --example hello -- you
//! ```
#![forbid(unsafe_code)]

use pipe_rpc::{PipeServer, Server};

#[pipe_rpc::service]
trait Greeter {
    /// A greeting for `name`.
    async fn greet(&self, name: String) -> String;
}

struct Polite;

impl Greeter for Polite {
    async fn greet(&self, name: String) -> String {
        format!("Good day, {name}.")
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let pipe = format!("pipe-rpc.hello.{}", std::process::id());

    let listener = PipeServer::bind(pipe.as_str())?;
    tokio::spawn(
        Server::builder()
            .service(GreeterServer::new(Polite))
            .serve(listener),
    );

    let greeter = GreeterClient::connect(pipe.as_str()).await?;
    let name = std::env::args().nth(1).unwrap_or_else(|| "world".into());
    println!("{}", greeter.greet(name).await?);
    Ok(())
}
