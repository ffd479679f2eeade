//! A server that is told to stop in the middle of a call: the call goes on to its end, a new one is refused.
//!
//! ```text
//! cargo run --example graceful_shutdown
//! ```
//!
//! The client starts this program again as its server.
#![forbid(unsafe_code)]

use std::error::Error;
use std::io::{self, Read};
use std::process::Stdio;
use std::time::Duration;

use futures_util::stream::{self, Stream, StreamExt};
use pipe_rpc::{Connect, Fault, PipeServer, Server, Streaming};
use tokio::process::Command;
use tokio::sync::mpsc;
use tokio::task::spawn_blocking;

#[pipe_rpc::service]
trait Journal {
    /// Writes the lines that come, and tells of each when it is written.
    async fn write(&self, lines: Streaming<String>) -> impl Stream<Item = String>;
    /// Does nothing, and shows that the server takes calls.
    async fn ping(&self);
}

struct Paper;

impl Journal for Paper {
    async fn write(&self, lines: Streaming<String>) -> impl Stream<Item = String> {
        // An `Err` would say that the client is gone, and then there is nobody to tell.
        let came = lines.filter_map(async |line| line.ok());
        came.map(|line| format!("written: {line}"))
    }

    async fn ping(&self) {}
}

async fn client() -> Result<(), Box<dyn Error>> {
    let pipe = format!("pipe-rpc.graceful_shutdown.{}", std::process::id());
    let mut command = Command::new(std::env::current_exe()?);
    let mut server = command.arg(&pipe).stdin(Stdio::piped()).spawn()?;
    let input = server.stdin.take();
    let connect = Connect::to(&*pipe)
        .wait_for_server(true)
        .deadline(Duration::from_secs(30));
    let journal = JournalClient::connect(connect).await?;

    // A call that lasts for as long as this end has lines for it.
    let (lines, next_line) = mpsc::channel(1);
    let lines_as_stream = stream::unfold(next_line, async |mut next| Some((next.recv().await?, next)));
    let mut written = journal.write(Box::pin(lines_as_stream)).await?;
    lines.send("the first line".to_owned()).await?;
    println!("{}", written.next().await.ok_or("it ended early")??);

    // The server is told to stop, and serves until it has heard it.
    drop(input);
    let fault = until_refused(&journal).await;
    println!("a new call: {}", fault.reason());
    assert!(fault.outcome().is_safe_to_retry(), "it did not run");

    lines.send("the last line".to_owned()).await?;
    println!("{}", written.next().await.ok_or("it ended early")??);
    drop(lines);
    assert!(written.next().await.is_none(), "all lines are written");

    let ended = server.wait().await?;
    println!("the server ended in good order: {}", ended.success());
    Ok(())
}

async fn until_refused(journal: &JournalClient) -> Fault {
    loop {
        if let Err(fault) = journal.ping().await {
            return fault;
        }
    }
}

/// Serves until its input ends; other programs wait for `tokio::signal::ctrl_c()` at this place.
async fn server(pipe: &str) -> Result<(), Box<dyn Error>> {
    let input_ends = spawn_blocking(|| io::stdin().read_to_end(&mut Vec::new()));
    Server::builder()
        .service(JournalServer::new(Paper))
        // What has not ended by then is cut.
        .drain_deadline(Duration::from_secs(60))
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
