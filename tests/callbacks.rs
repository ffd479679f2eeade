//! Both ends of a connection serve and call.

#[expect(unreachable_pub, dead_code, reason = "each test file uses a part")]
mod support;

use std::sync::{Arc, Mutex};
use std::time::Duration;

use pipe_rpc::{Channel, Connect, ConnectError, Context, MountError, PipeServer, Server, ServerBuilder};
use support::lab::{LabServer, Laboratory};
use support::{Gauge, LabClient, soon, unique_name};

/// Served at both ends: its handlers call the same service at the other one.
#[pipe_rpc::service]
trait Relay {
    /// Goes back and forth that many times: the depth at which it ended, or what went wrong on the way.
    async fn bounce(&self, cx: &Context, more: u32) -> Result<u8, String>;
    /// Is held at its caller's end.
    async fn hold_at_caller(&self, cx: &Context) -> Result<u32, String>;
    /// How much time the caller's end is left by this one.
    async fn remaining_at_caller(&self, cx: &Context) -> Result<Option<u64>, String>;
    /// Keeps a channel to the caller for longer than the call.
    async fn keep(&self, cx: &Context);
}

#[derive(Clone, Default)]
struct Relaying {
    gauge: Gauge,
    kept: Arc<Mutex<Vec<Channel>>>,
}

impl Relay for Relaying {
    async fn bounce(&self, cx: &Context, more: u32) -> Result<u8, String> {
        let _here = self.gauge.enter();
        match more.checked_sub(1) {
            None => Ok(cx.depth()),
            Some(more) => {
                let bounced = cx.peer::<RelayClient>().bounce(more).await;
                bounced.map_err(|error| error.to_string())
            }
        }
    }
    async fn hold_at_caller(&self, cx: &Context) -> Result<u32, String> {
        let _here = self.gauge.enter();
        let held = cx.peer::<LabClient>().hold().await;
        held.map_err(|fault| fault.to_string())
    }
    async fn remaining_at_caller(&self, cx: &Context) -> Result<Option<u64>, String> {
        let remaining = cx.peer::<LabClient>().remaining().await;
        remaining.map_err(|fault| fault.to_string())
    }
    async fn keep(&self, cx: &Context) {
        self.kept.lock().unwrap().push(cx.peer_channel());
    }
}

/// One end: what it serves, and what its handlers tell.
#[derive(Clone, Default)]
struct End {
    relay: Relaying,
    lab: Gauge,
}

impl End {
    fn services(&self) -> ServerBuilder {
        Server::builder()
            .service(RelayServer::new(self.relay.clone()))
            .service(LabServer::new(Laboratory(self.lab.clone())))
    }
}

/// A host that serves on a pipe of its own, by a task of the current runtime.
struct Host {
    name: String,
    end: End,
}

fn host(test: &str, configure: impl FnOnce(ServerBuilder) -> ServerBuilder) -> Host {
    let (name, end) = (unique_name(test), End::default());
    let listener = PipeServer::bind(name.as_str()).unwrap();
    tokio::spawn(configure(end.services()).serve(listener));
    Host { name, end }
}

impl Host {
    fn connect(&self) -> Connect {
        let connect = Connect::to(self.name.as_str()).deadline(Duration::from_secs(60));
        connect.handshake_timeout(support::HANG)
    }

    /// A plugin that serves as `configure` says.
    async fn plugin_with(
        &self,
        configure: impl FnOnce(ServerBuilder) -> ServerBuilder,
    ) -> (RelayClient, End) {
        let end = End::default();
        let connect = self.connect().serving(configure(end.services()));
        (RelayClient::connect(connect).await.unwrap(), end)
    }

    async fn plugin(&self) -> (RelayClient, End) {
        self.plugin_with(|builder| builder).await
    }
}

#[tokio::test]
async fn a_handler_calls_back_into_its_caller_and_so_on() {
    let host = host("callbacks-bounce", |server| server);
    let (client, plugin) = host.plugin().await;
    for more in 0..5 {
        assert_eq!(soon(client.bounce(more)).await, Ok(u8::try_from(more).unwrap()));
    }
    // Each end has had its turns: 1, 2, 3 … of them in turn.
    assert_eq!(host.end.relay.gauge.begun(), 1 + 1 + 2 + 2 + 3);
    assert_eq!(plugin.relay.gauge.begun(), 1 + 1 + 2 + 2);
}

#[tokio::test]
async fn without_services_a_callback_is_refused_and_told_what_to_do() {
    let host = host("callbacks-none", |server| server);
    let client = RelayClient::connect(host.connect()).await.unwrap();
    let error = soon(client.bounce(1)).await.unwrap_err().to_string();
    assert!(error.contains("offers no services"), "{error}");
    assert_eq!(soon(client.bounce(0)).await, Ok(0));
}

#[tokio::test]
async fn services_that_do_not_go_together_are_told_when_it_connects() {
    let twice = End::default()
        .services()
        .service(LabServer::new(Laboratory::default()));
    let connect = Connect::to("nobody").serving(twice);
    let error = connect.open().await.unwrap_err();
    assert!(
        matches!(error, ConnectError::Mount(MountError::SameName { .. })),
        "{error}"
    );
}
