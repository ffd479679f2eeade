//! Handlers that run to their end although nobody waits for them any more, and what they can ask.

#[expect(unreachable_pub, dead_code, reason = "each test file uses a part")]
mod support;

use std::time::Duration;

use futures_util::{Stream, StreamExt as _, stream};
use pipe_rpc::{Connect, Context, Outcome, PipeServer, Reason, Server, Streaming};
use support::{Gauge, soon, unique_name};
use tokio::sync::mpsc;

/// Methods that finish, and one that does not.
#[pipe_rpc::service]
pub trait Archive {
    /// Tells when nobody waits any more, runs on until it is released, and tells that it has ended.
    #[rpc(finish)]
    async fn store(&self, cx: &Context) -> u32;
    /// Is dropped when nobody waits any more; what it has spawned tells of it.
    async fn watch(&self, cx: &Context) -> u32;
    /// Tells of each number, of what breaks them off, and of their end.
    #[rpc(finish)]
    async fn gather(&self, numbers: Streaming<u64>) -> u32;
    /// Numbers without end, until they are dropped.
    #[rpc(finish)]
    async fn pour(&self) -> impl Stream<Item = u64>;
    /// Answers at once.
    async fn echo(&self, text: String) -> String;
}

#[derive(Clone)]
struct Shelf {
    gauge: Gauge,
    told: mpsc::UnboundedSender<&'static str>,
}

impl Archive for Shelf {
    async fn store(&self, cx: &Context) -> u32 {
        let _here = self.gauge.enter();
        assert!(!cx.is_cancelled());
        cx.cancelled().await;
        assert!(cx.is_cancelled());
        self.told.send("cancelled").unwrap();
        self.gauge.released().await;
        self.told.send("ended").unwrap();
        7
    }
    async fn watch(&self, cx: &Context) -> u32 {
        let (cx, told) = (cx.clone(), self.told.clone());
        tokio::spawn(async move {
            cx.cancelled().await;
            told.send("spawned").unwrap();
        });
        let _here = self.gauge.enter();
        self.gauge.released().await;
        7
    }
    async fn gather(&self, mut numbers: Streaming<u64>) -> u32 {
        while let Some(number) = numbers.next().await {
            let told = match number {
                Ok(_) => "a number",
                Err(error)
                    if error
                        .fault()
                        .is_some_and(|fault| fault.reason() == Reason::Cancelled) =>
                {
                    "cancelled"
                }
                Err(_) => "something else",
            };
            self.told.send(told).unwrap();
        }
        self.told.send("ended").unwrap();
        7
    }
    async fn pour(&self) -> impl Stream<Item = u64> {
        let here = self.gauge.enter();
        stream::iter(0..).inspect(move |_| {
            let _ = &here;
        })
    }
    async fn echo(&self, text: String) -> String {
        text
    }
}

struct Served {
    name: String,
    gauge: Gauge,
    told: mpsc::UnboundedReceiver<&'static str>,
}

fn serve(test: &str) -> Served {
    let (name, gauge) = (unique_name(test), Gauge::default());
    let (sender, told) = mpsc::unbounded_channel();
    let shelf = Shelf {
        gauge: gauge.clone(),
        told: sender,
    };
    let listener = PipeServer::bind(name.as_str()).unwrap();
    tokio::spawn(
        Server::builder()
            .service(ArchiveServer::new(shelf))
            .max_calls(2)
            .serve(listener),
    );
    Served { name, gauge, told }
}

impl Served {
    async fn client(&self) -> ArchiveClient {
        ArchiveClient::connect(Connect::to(self.name.as_str()).deadline(support::HANG))
            .await
            .unwrap()
    }

    async fn hears(&mut self, what: &str) {
        assert_eq!(soon(self.told.recv()).await, Some(what));
    }
}

#[tokio::test]
async fn a_cancelled_handler_that_finishes_runs_to_its_end() {
    let mut archive = serve("finish-cancel");
    let client = archive.client().await;
    let call = tokio::spawn({
        let client = client.clone();
        async move { client.store().await }
    });
    soon(archive.gauge.until_running(1)).await;
    call.abort();
    archive.hears("cancelled").await;
    // It still has its place among the connection's calls; the others go on.
    for _ in 0..10 {
        assert_eq!(soon(client.echo("beside".into())).await.unwrap(), "beside");
    }
    assert_eq!(archive.gauge.running(), 1);
    archive.gauge.release();
    archive.hears("ended").await;
    soon(archive.gauge.until_running(0)).await;
    let both = tokio::join!(client.echo("a".into()), client.echo("b".into()));
    assert_eq!((both.0.unwrap(), both.1.unwrap()), ("a".into(), "b".into()));
}

#[tokio::test]
async fn a_handler_that_finishes_is_told_that_no_more_items_come() {
    let mut archive = serve("finish-upload");
    let client = archive.client().await;
    let numbers = stream::iter([1]).chain(stream::pending());
    let call = tokio::spawn({
        let client = client.clone();
        async move { client.gather(numbers).await }
    });
    archive.hears("a number").await;
    call.abort();
    archive.hears("cancelled").await;
    archive.hears("ended").await;
    assert_eq!(soon(client.echo("beside".into())).await.unwrap(), "beside");
}

#[tokio::test]
async fn a_handler_that_finishes_does_not_wait_for_a_reader_who_has_gone() {
    let archive = serve("finish-download");
    let client = archive.client().await;
    let unread = soon(client.pour()).await.unwrap();
    // As much as its reader has room for is under way, and it waits for more room.
    for _ in 0..100 {
        assert_eq!(soon(client.echo("beside".into())).await.unwrap(), "beside");
    }
    assert_eq!(archive.gauge.running(), 1);
    drop(unread);
    soon(archive.gauge.until_running(0)).await;
}

#[tokio::test]
async fn a_deadline_does_not_end_a_handler_that_finishes() {
    let mut archive = serve("finish-deadline");
    let client = archive.client().await.with_timeout(Duration::from_millis(100));
    let fault = soon(client.store()).await.unwrap_err();
    assert_eq!(fault.reason(), Reason::DeadlineExceeded);
    assert_eq!(fault.outcome(), Outcome::MayHaveRun);
    archive.hears("cancelled").await;
    archive.gauge.release();
    archive.hears("ended").await;
}

#[tokio::test]
async fn a_lost_connection_does_not_end_a_handler_that_finishes() {
    let mut archive = serve("finish-lost");
    let client = archive.client().await;
    let call = tokio::spawn({
        let client = client.clone();
        async move { client.store().await }
    });
    soon(archive.gauge.until_running(1)).await;
    client.caller().close();
    assert!(soon(call).await.unwrap().is_err());
    archive.hears("cancelled").await;
    archive.gauge.release();
    archive.hears("ended").await;
}

#[tokio::test]
async fn what_a_handler_spawned_is_told_that_nobody_waits() {
    let mut archive = serve("finish-spawned");
    let client = archive.client().await;
    let call = tokio::spawn({
        let client = client.clone();
        async move { client.watch().await }
    });
    soon(archive.gauge.until_running(1)).await;
    call.abort();
    archive.hears("spawned").await;
    soon(archive.gauge.until_running(0)).await;
    // An answer is an end like any other.
    archive.gauge.release();
    assert_eq!(soon(client.watch()).await, Ok(7));
    archive.hears("spawned").await;
}
