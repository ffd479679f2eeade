//! A client that outlives its server: it counts on while the server is replaced by another one, twice.
//!
//! ```text
//! cargo run --example reconnect
//! ```
#![forbid(unsafe_code)]

use std::error::Error;
use std::time::Duration;

use futures_util::StreamExt as _;
use pipe_rpc::{ConnectionState, PipeServer, ReconnectPolicy, Server};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

#[pipe_rpc::service]
trait Clock {
    /// Which server answers. To ask twice does no harm, so the client may.
    #[rpc(idempotent)]
    async fn generation(&self) -> u32;
}

struct Generation(u32);

impl Clock for Generation {
    async fn generation(&self) -> u32 {
        self.0
    }
}

/// A server that ends in good order when it is told to.
struct Running {
    stop: oneshot::Sender<()>,
    task: JoinHandle<()>,
}

fn serve(pipe: &str, generation: u32) -> Result<Running, Box<dyn Error>> {
    let listener = PipeServer::bind(pipe)?;
    let (stop, stopped) = oneshot::channel::<()>();
    let server = Server::builder().service(ClockServer::new(Generation(generation)));
    let task = tokio::spawn(async move {
        if let Err(error) = server.serve_until(listener, async { drop(stopped.await) }).await {
            eprintln!("the server ended: {error}");
        }
    });
    Ok(Running { stop, task })
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let pipe = format!("pipe-rpc.reconnect.{}", std::process::id());

    // Nobody serves yet: the client is there at once, and connects when it is first called.
    let policy = ReconnectPolicy::default()
        .first_pause(Duration::from_millis(5))
        .max_wait(Duration::from_secs(30));
    let builder = ClockClient::builder(&pipe).reconnect(policy);
    let states = builder.states();
    let clock = builder.connect_lazy();
    let watching = tokio::spawn(states.into_stream().for_each(|state| async move {
        if let ConnectionState::Waiting { error, .. } = state {
            eprintln!("no connection: {error}");
        }
    }));

    for generation in 1..=3 {
        // The call is made first; it waits for the server.
        let call = tokio::spawn({
            let clock = clock.clone();
            async move { clock.generation().await }
        });
        let server = serve(&pipe, generation)?;
        println!("server {} answered", call.await??);
        drop(server.stop);
        server.task.await?;
    }

    // The last state is "closed", when the last clone of the client has gone.
    drop(clock);
    watching.await?;
    Ok(())
}
