//! A host and a plugin in two processes, each with its half of the contract: they call each other on one connection.
//!
//! ```text
//! cargo run --example callbacks
//! ```
//!
//! The host starts this program again as its plugin.
#![forbid(unsafe_code)]

use std::sync::Arc;

use pipe_rpc::{Channel, Connect, Context, Fault, PipeServer, Server};
use tokio::process::Command;
use tokio::sync::Notify;

/// The host's half: what its plugins may ask it for.
#[pipe_rpc::service]
trait Host {
    /// The text that is open.
    async fn text(&self) -> String;
}

/// The plugin's half: what its host has it do.
#[pipe_rpc::service]
trait Plugin {
    /// What the plugin can do.
    async fn title(&self) -> String;
    /// How many words the host's text has.
    async fn count(&self, cx: &Context) -> Result<usize, String>;
}

struct Editor;

impl Host for Editor {
    async fn text(&self) -> String {
        "a truth universally acknowledged".into()
    }
}

struct Counter;

impl Plugin for Counter {
    async fn title(&self) -> String {
        "counts words".into()
    }

    async fn count(&self, cx: &Context) -> Result<usize, String> {
        // The host waits for this very call, and answers all the same.
        let text = cx.peer::<HostClient>().text().await;
        let text = text.map_err(|fault| fault.to_string())?;
        Ok(text.split_whitespace().count())
    }
}

/// What the host has a plugin do that has just connected.
async fn use_plugin(peer: Channel) -> Result<(), Fault> {
    let plugin = PluginClient::new(peer);
    println!("host: here is one that {}", plugin.title().await?);
    match plugin.count().await {
        Ok(words) => println!("host: it says {words}"),
        Err(error) => println!("host: it failed: {error}"),
    }
    Ok(())
}

async fn host() -> Result<(), Box<dyn std::error::Error>> {
    let pipe = format!("pipe-rpc.callbacks.{}", std::process::id());
    let listener = PipeServer::bind(pipe.as_str())?;
    let mut plugin = Command::new(std::env::current_exe()?).arg(&pipe).spawn()?;

    let done = Arc::new(Notify::new());
    let server = Server::builder().service(HostServer::new(Editor)).on_connect({
        let done = Arc::clone(&done);
        move |peer| {
            let done = Arc::clone(&done);
            async move {
                if let Err(fault) = use_plugin(peer).await {
                    eprintln!("host: {fault}");
                }
                done.notify_one();
            }
        }
    });
    server.serve_until(listener, done.notified()).await?;
    plugin.wait().await?;
    Ok(())
}

async fn plugin(pipe: &str) -> Result<(), Box<dyn std::error::Error>> {
    let offers = Server::builder().service(PluginServer::new(Counter));
    let host = HostClient::connect(Connect::to(pipe).serving(offers)).await?;
    // From here on it is the host that calls.
    println!("plugin: {}", host.closed().await);
    Ok(())
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    match std::env::args().nth(1) {
        None => host().await,
        Some(pipe) => plugin(&pipe).await,
    }
}
