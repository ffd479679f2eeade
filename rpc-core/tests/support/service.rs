//! A small service without the macro, for scripts over a connection.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use futures_util::stream::{self, StreamExt as _};
use pipe_rpc_core::fault::{Fault, Outcome, Reason};
use pipe_rpc_core::message::{Request, Response};
use pipe_rpc_core::method::{Method, wire_id};
use pipe_rpc_core::server::{Mount, Reply};
use pipe_rpc_core::streaming::{ItemError, Items, Upload};
use tokio::sync::Notify;

/// Gives bodies back, never ends, or holds until it is told.
#[derive(Clone, Default)]
pub struct Probe(Arc<Seen>);

/// What the probe has seen.
#[derive(Default)]
pub struct Seen {
    running: AtomicUsize,
    begun: AtomicUsize,
    made: AtomicUsize,
    changed: Notify,
}

static METHODS: [Method; 7] = [
    Method::new("Probe", "echo", "(Bytes) -> Bytes"),
    Method::new("Probe", "never", "() -> ()"),
    Method::new("Probe", "large", "() -> Bytes"),
    Method::new("Probe", "touch", "()").oneway(),
    Method::new("Probe", "flood", "(Bytes) -> impl Stream<Item = Bytes>"),
    Method::new("Probe", "swallow", "(Streaming<Bytes>) -> Bytes"),
    Method::new("Probe", "hoard", "(Streaming<Bytes>) -> Bytes"),
];

pub const SERVICE: u32 = wire_id("Probe");
pub const ECHO: u32 = wire_id("echo");
pub const NEVER: u32 = wire_id("never");
/// Answers with 1 MiB.
pub const LARGE: u32 = wire_id("large");
pub const TOUCH: u32 = wire_id("touch");
/// Answers with copies of its argument, without end.
pub const FLOOD: u32 = wire_id("flood");
/// Reads the items behind it to their end, and answers with how many there were, a u64.
pub const SWALLOW: u32 = wire_id("swallow");
/// Keeps the items behind it unread, without end.
pub const HOARD: u32 = wire_id("hoard");

pub fn method(id: u32) -> &'static Method {
    METHODS
        .iter()
        .find(|method| method.id == id)
        .expect("one of this file's")
}

impl Probe {
    /// How many handlers were begun.
    pub fn begun(&self) -> usize {
        self.0.begun.load(Ordering::SeqCst)
    }

    /// How many items were asked of its streams.
    pub fn made(&self) -> usize {
        self.0.made.load(Ordering::SeqCst)
    }

    /// Waits until that many handlers run.
    pub async fn running(&self, count: usize) {
        loop {
            let changed = self.0.changed.notified();
            if self.0.running.load(Ordering::SeqCst) == count {
                return;
            }
            changed.await;
        }
    }
}

/// Counts a handler for as long as it lives.
struct Alive(Arc<Seen>);

impl Alive {
    fn new(seen: &Arc<Seen>) -> Self {
        seen.begun.fetch_add(1, Ordering::SeqCst);
        seen.running.fetch_add(1, Ordering::SeqCst);
        seen.changed.notify_waiters();
        Self(Arc::clone(seen))
    }
}

impl Drop for Alive {
    fn drop(&mut self) {
        self.0.running.fetch_sub(1, Ordering::SeqCst);
        self.0.changed.notify_waiters();
    }
}

impl Mount for Probe {
    fn name(&self) -> &'static str {
        "Probe"
    }

    fn methods(&self) -> &'static [Method] {
        &METHODS
    }

    fn call(&self, index: usize, request: Request) -> Reply {
        let seen = Arc::clone(&self.0);
        let id = METHODS[index].id;
        let upload = request.upload().and_then(Upload::take);
        Box::pin(async move {
            let alive = Alive::new(&seen);
            match id {
                ECHO => Ok(Response::ok(request.body().clone())),
                NEVER => std::future::pending().await,
                LARGE => Ok(Response::ok(vec![0; 1 << 20].into())),
                TOUCH => Ok(Response::ok(Vec::new().into())),
                FLOOD => {
                    let item = request.body().clone();
                    let items = stream::iter(std::iter::repeat_with(move || {
                        alive.0.made.fetch_add(1, Ordering::SeqCst);
                        Ok(item.clone())
                    }));
                    Ok(Response::stream(Items::new(items)))
                }
                SWALLOW => Ok(Response::ok(count(upload).await?.to_le_bytes().to_vec().into())),
                HOARD => {
                    let _unread = upload;
                    std::future::pending().await
                }
                _ => Err(Fault::new(Outcome::Refused, Reason::UnknownMethod)),
            }
        })
    }
}

/// Reads items to their end. How many there were.
async fn count(upload: Option<Items>) -> Result<u64, Fault> {
    let mut items = upload.ok_or(Fault::new(Outcome::Ran, Reason::Decode))?;
    let mut count = 0;
    while let Some(item) = items.next().await {
        item.map_err(|error| match error {
            ItemError::Fault(fault) => fault,
            ItemError::Failed(_) => Fault::new(Outcome::Ran, Reason::Other),
        })?;
        count += 1;
    }
    Ok(count)
}
