//! A host and its plugins, which serve the same and call each other.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use pipe_rpc::{Channel, Connect, Context, PipeServer, Server, ServerBuilder};

use crate::support::lab::{LabServer, Laboratory};
use crate::support::{Gauge, HANG, LabClient, unique_name};

/// Served at both ends: its handlers call the other one.
#[pipe_rpc::service]
pub(crate) trait Relay {
    /// Goes back and forth that many times: the depth at which it ended, or what went wrong on the way.
    async fn bounce(&self, cx: &Context, more: u32) -> Result<u8, String>;
    /// As `bounce`, and waits at each end until the test lets it go on.
    async fn bounce_slowly(&self, cx: &Context, more: u32) -> Result<u8, String>;
    /// Waits until the test lets it go on, and then calls whom `keep` kept.
    async fn pass_on(&self) -> Result<u8, String>;
    /// Is held at its caller's end.
    async fn hold_at_caller(&self, cx: &Context) -> Result<u32, String>;
    /// How much time the caller's end is left by this one, in microseconds.
    async fn remaining_at_caller(&self, cx: &Context) -> Result<Option<u64>, String>;
    /// Keeps a channel to the caller for longer than the call.
    async fn keep(&self, cx: &Context);
}

/// The relay's handlers. Each tells the gauge that it is there.
#[derive(Clone, Default)]
pub(crate) struct Relaying {
    pub(crate) gauge: Gauge,
    kept: Arc<Mutex<Option<Channel>>>,
}

impl Relaying {
    /// The channel to who called `keep`.
    pub(crate) fn kept(&self) -> Channel {
        self.kept.lock().unwrap().clone().unwrap()
    }
}

impl Relay for Relaying {
    async fn bounce(&self, cx: &Context, more: u32) -> Result<u8, String> {
        let _here = self.gauge.enter();
        let Some(more) = more.checked_sub(1) else {
            return Ok(cx.depth());
        };
        told(cx.peer::<RelayClient>().bounce(more).await)
    }
    async fn bounce_slowly(&self, cx: &Context, more: u32) -> Result<u8, String> {
        let _here = self.gauge.enter();
        self.gauge.released().await;
        let Some(more) = more.checked_sub(1) else {
            return Ok(cx.depth());
        };
        told(cx.peer::<RelayClient>().bounce_slowly(more).await)
    }
    async fn pass_on(&self) -> Result<u8, String> {
        let _here = self.gauge.enter();
        self.gauge.released().await;
        told(RelayClient::new(self.kept()).bounce(0).await)
    }
    async fn hold_at_caller(&self, cx: &Context) -> Result<u32, String> {
        let _here = self.gauge.enter();
        told(cx.peer::<LabClient>().hold().await)
    }
    async fn remaining_at_caller(&self, cx: &Context) -> Result<Option<u64>, String> {
        told(cx.peer::<LabClient>().remaining().await)
    }
    async fn keep(&self, cx: &Context) {
        *self.kept.lock().unwrap() = Some(cx.peer_channel());
    }
}

/// A result that crosses to another process.
pub(crate) fn told<T, E: std::fmt::Display>(result: Result<T, E>) -> Result<T, String> {
    result.map_err(|error| error.to_string())
}

/// One end: what it serves, and what its handlers tell.
#[derive(Clone, Default)]
pub(crate) struct End {
    pub(crate) relay: Relaying,
    pub(crate) lab: Gauge,
}

impl End {
    pub(crate) fn services(&self) -> ServerBuilder {
        Server::builder()
            .service(RelayServer::new(self.relay.clone()))
            .service(LabServer::new(Laboratory(self.lab.clone())))
    }
}

/// A host that serves on a pipe of its own, by a task of the current runtime.
pub(crate) struct Host {
    pub(crate) name: String,
    pub(crate) end: End,
}

/// Serves as `configure` says.
pub(crate) fn host_with(test: &str, configure: impl FnOnce(ServerBuilder) -> ServerBuilder) -> Host {
    let (name, end) = (unique_name(test), End::default());
    let listener = PipeServer::bind(name.as_str()).unwrap();
    tokio::spawn(configure(end.services()).serve(listener));
    Host { name, end }
}

pub(crate) fn host(test: &str) -> Host {
    host_with(test, |server| server)
}

/// How a test connects.
pub(crate) fn connect(name: &str) -> Connect {
    let connect = Connect::to(name).deadline(Duration::from_secs(60));
    connect.handshake_timeout(HANG)
}

/// A plugin's client of its host, and what the plugin serves.
pub(crate) async fn plugin_with(
    name: &str,
    configure: impl FnOnce(ServerBuilder) -> ServerBuilder,
) -> (RelayClient, End) {
    let end = End::default();
    let connect = connect(name).serving(configure(end.services()));
    (RelayClient::connect(connect).await.unwrap(), end)
}

pub(crate) async fn plugin(name: &str) -> (RelayClient, End) {
    plugin_with(name, |services| services).await
}
