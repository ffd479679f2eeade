//! Streams of every kind between two processes: to the client, to the server, and both at once.
//!
//! ```text
//! cargo run --example streams
//! ```
//!
//! The client starts this program again as its server.
#![forbid(unsafe_code)]

use std::error::Error;
use std::io::{self, Read};
use std::process::Stdio;
use std::time::Duration;

use futures_util::stream::{self, Stream, StreamExt};
use pipe_rpc::{Connect, PipeServer, Server, Streaming};
use serde::{Deserialize, Serialize};
use tokio::process::Command;
use tokio::task::spawn_blocking;

#[pipe_rpc::service]
trait Numbers {
    /// All primes, for as long as somebody reads them.
    async fn primes(&self) -> impl Stream<Item = u64>;
    /// The sum of what comes.
    async fn sum(&self, numbers: Streaming<u64>) -> Result<u64, CutShort>;
    /// The square of each number, as they come.
    async fn squares(&self, numbers: Streaming<u64>) -> impl Stream<Item = Result<u64, CutShort>>;
}

/// The numbers ended before the last one.
#[derive(Debug, thiserror::Error, Serialize, Deserialize)]
#[error("only a part of the numbers came: {why}")]
struct CutShort {
    why: String,
}

impl CutShort {
    fn because(error: impl Error) -> Self {
        let why = error.to_string();
        Self { why }
    }
}

struct Calculator;

impl Numbers for Calculator {
    async fn primes(&self) -> impl Stream<Item = u64> {
        let is_prime = |n: &u64| (2..*n).take_while(|d| d * d <= *n).all(|d| !n.is_multiple_of(d));
        stream::iter((2..).filter(is_prime))
    }

    async fn sum(&self, mut numbers: Streaming<u64>) -> Result<u64, CutShort> {
        let mut sum = 0;
        while let Some(number) = numbers.next().await {
            // Had the client died, this would be an `Err`: half a stream never looks whole.
            sum += number.map_err(CutShort::because)?;
        }
        Ok(sum)
    }

    async fn squares(&self, numbers: Streaming<u64>) -> impl Stream<Item = Result<u64, CutShort>> {
        numbers.map(|number| number.map(|n| n * n).map_err(CutShort::because))
    }
}

async fn client() -> Result<(), Box<dyn Error>> {
    let pipe = format!("pipe-rpc.streams.{}", std::process::id());
    let mut command = Command::new(std::env::current_exe()?);
    let mut server = command.arg(&pipe).stdin(Stdio::piped()).spawn()?;
    let input = server.stdin.take();
    let connect = Connect::to(&*pipe)
        .wait_for_server(true)
        .deadline(Duration::from_secs(30));
    let numbers = NumbersClient::connect(connect).await?;

    // Nobody asks for more than these: the server's stream is dropped with this one.
    let mut primes = numbers.primes().await?;
    for _ in 0..5 {
        let Some(prime) = primes.next().await else { break };
        println!("prime {}", prime?);
    }
    drop(primes);

    // Many numbers share a packet, and they leave no faster than they are added up.
    println!("sum {}", numbers.sum(stream::iter(1..=100_000)).await?);

    let mut squares = numbers.squares(stream::iter([3, 4, 5])).await?;
    while let Some(square) = squares.next().await {
        println!("square {}", square?);
    }

    drop(input);
    server.wait().await?;
    Ok(())
}

/// Serves until its input ends: the other end of that is the client's, and goes when the client does.
async fn server(pipe: &str) -> Result<(), Box<dyn Error>> {
    let input_ends = spawn_blocking(|| io::stdin().read_to_end(&mut Vec::new()));
    Server::builder()
        .service(NumbersServer::new(Calculator))
        .serve_until(PipeServer::bind(pipe)?, async { drop(input_ends.await) })
        .await?;
    Ok(())
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    match std::env::args().nth(1) {
        None => client().await,
        Some(pipe) => server(&pipe).await,
    }
}
