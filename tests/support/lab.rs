//! A service whose handlers the test controls.

use std::time::Duration;

use bytes::Bytes;
use pipe_rpc::{Channel, Connect, Context, PipeServer, Server, ServerBuilder};

use tokio::task::JoinHandle;

use super::{Gauge, unique_name};

#[pipe_rpc::service]
pub trait Lab {
    /// Answers at once.
    async fn echo(&self, text: String) -> String;
    /// How many bytes came.
    async fn take(&self, bytes: Bytes) -> u64;
    /// That many bytes.
    async fn give(&self, size: u64) -> Bytes;
    /// Runs until the test releases it.
    async fn hold(&self) -> u32;
    /// As `hold`, with a body.
    async fn hold_bytes(&self, bytes: Bytes) -> u64;
    /// Holds its thread until the test unblocks it.
    async fn block(&self) -> u32;
    /// Panics at once.
    async fn panic(&self) -> u32;
    /// Panics after it has waited.
    async fn panic_later(&self) -> u32;
    /// Runs until it is dropped, and panics then.
    async fn panic_in_drop(&self) -> u32;
    /// How much time its caller leaves it, in microseconds.
    async fn remaining(&self, cx: &Context) -> Option<u64>;
    /// Nobody waits for it.
    #[rpc(oneway)]
    async fn touch(&self);
    /// Nobody waits for it, and it runs until the test releases it.
    #[rpc(oneway)]
    async fn touch_hold(&self);
    /// Nobody waits for it, and it is large.
    #[rpc(oneway)]
    async fn touch_bytes(&self, bytes: Bytes);
}

/// The lab's handlers. Each tells the gauge that it is there, but for `echo` and `give`.
#[derive(Clone, Default)]
pub struct Laboratory(pub Gauge);

struct PanicsInDrop;

impl Drop for PanicsInDrop {
    fn drop(&mut self) {
        panic!("in the drop, on purpose");
    }
}

impl Lab for Laboratory {
    async fn echo(&self, text: String) -> String {
        text
    }
    async fn take(&self, bytes: Bytes) -> u64 {
        let _here = self.0.enter();
        bytes.len() as u64
    }
    async fn give(&self, size: u64) -> Bytes {
        vec![7; usize::try_from(size).unwrap()].into()
    }
    async fn hold(&self) -> u32 {
        let _here = self.0.enter();
        self.0.released().await;
        42
    }
    async fn hold_bytes(&self, bytes: Bytes) -> u64 {
        let _here = self.0.enter();
        self.0.released().await;
        bytes.len() as u64
    }
    async fn block(&self) -> u32 {
        let _here = self.0.enter();
        self.0.block();
        42
    }
    async fn panic(&self) -> u32 {
        let _here = self.0.enter();
        panic!("on purpose")
    }
    async fn panic_later(&self) -> u32 {
        let _here = self.0.enter();
        self.0.released().await;
        panic!("later, on purpose")
    }
    async fn panic_in_drop(&self) -> u32 {
        let _here = self.0.enter();
        let _panics = PanicsInDrop;
        self.0.released().await;
        42
    }
    async fn remaining(&self, cx: &Context) -> Option<u64> {
        let left = cx.deadline()?.duration_since(tokio::time::Instant::now());
        Some(u64::try_from(left.as_micros()).unwrap())
    }
    async fn touch(&self) {
        let _here = self.0.enter();
    }
    async fn touch_hold(&self) {
        let _here = self.0.enter();
        self.0.released().await;
    }
    async fn touch_bytes(&self, bytes: Bytes) {
        let _here = self.0.enter();
        assert!(bytes.iter().all(|byte| *byte == 7), "a torn body");
    }
}

/// A lab that is served on a pipe of its own, by a task of the current runtime.
pub struct Served {
    pub name: String,
    pub gauge: Gauge,
}

/// Serves a lab as `configure` says.
pub fn serve_with(test: &str, configure: impl FnOnce(ServerBuilder) -> ServerBuilder) -> Served {
    let (name, gauge) = (unique_name(test), Gauge::default());
    let listener = PipeServer::bind(name.as_str()).unwrap();
    let builder = Server::builder().service(LabServer::new(Laboratory(gauge.clone())));
    tokio::spawn(configure(builder).serve(listener));
    Served { name, gauge }
}

/// Serves a lab.
pub fn serve(test: &str) -> Served {
    serve_with(test, |builder| builder)
}

/// Serves a lab whose connections may have that many calls open.
pub fn serve_few(test: &str, max_calls: u32) -> Served {
    serve_with(test, |builder| builder.max_calls(max_calls))
}

impl Served {
    pub async fn channel(&self) -> Channel {
        let connect = Connect::to(self.name.as_str()).deadline(Duration::from_secs(60));
        connect.handshake_timeout(super::HANG).open().await.unwrap()
    }

    pub async fn client(&self) -> LabClient {
        LabClient::new(self.channel().await)
    }
}

/// Makes a call in a task of its own.
pub fn start<F>(client: &LabClient, call: impl FnOnce(LabClient) -> F) -> JoinHandle<F::Output>
where
    F: Future<Output: Send> + Send + 'static,
{
    tokio::spawn(call(client.clone()))
}

/// Checks that the connection is whole and that nobody holds any of its `max_calls` calls.
pub async fn all_is_well(client: &LabClient, gauge: &Gauge, max_calls: usize) {
    super::soon(async {
        assert_eq!(client.echo("well".into()).await.unwrap(), "well");
        gauge.until_running(0).await;
        gauge.hold_again();
        let calls: Vec<_> = (0..max_calls)
            .map(|_| start(client, |client| async move { client.hold().await }))
            .collect();
        gauge.until_running(max_calls).await;
        gauge.release();
        for call in calls {
            assert_eq!(call.await.unwrap().unwrap(), 42);
        }
        gauge.hold_again();
    })
    .await;
}
