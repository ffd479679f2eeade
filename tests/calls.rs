//! Typed calls over real pipes.

use std::time::Duration;

use pipe_rpc::{CallError, Context, Outcome, PipeServer, Reason, Server};

#[pipe_rpc::service]
trait Echo {
    async fn echo(&self, text: String) -> String;
    async fn bytes(&self, bytes: bytes::Bytes) -> bytes::Bytes;
    async fn divide(&self, a: u32, b: u32) -> Result<u32, String>;
    async fn never(&self) -> u32;
    async fn panics(&self) -> u32;
    async fn who(&self, cx: &Context) -> Option<u32>;
    async fn later(&self, turns: u64) -> u64;
    #[rpc(oneway)]
    async fn touch(&self, text: String);
}

struct Echoer;

impl Echo for Echoer {
    async fn echo(&self, text: String) -> String {
        text
    }
    async fn bytes(&self, bytes: bytes::Bytes) -> bytes::Bytes {
        bytes
    }
    async fn divide(&self, a: u32, b: u32) -> Result<u32, String> {
        a.checked_div(b).ok_or_else(|| "by zero".to_owned())
    }
    async fn never(&self) -> u32 {
        std::future::pending().await
    }
    async fn panics(&self) -> u32 {
        panic!("on purpose")
    }
    async fn who(&self, cx: &Context) -> Option<u32> {
        cx.peer_identity().pid
    }
    async fn later(&self, turns: u64) -> u64 {
        for _ in 0..turns {
            tokio::task::yield_now().await;
        }
        turns
    }
    async fn touch(&self, _text: String) {}
}

async fn connected(name: &str) -> EchoClient {
    let name = format!("calls-{name}-{}", std::process::id());
    let listener = PipeServer::bind(name.as_str()).unwrap();
    tokio::spawn(Server::builder().service(EchoServer::new(Echoer)).serve(listener));
    EchoClient::connect(name).await.unwrap()
}

#[tokio::test]
async fn a_call_comes_back_with_its_result() {
    let client = connected("result").await;
    assert_eq!(client.echo("hello".into()).await.unwrap(), "hello");
    assert_eq!(client.divide(6, 3).await.unwrap(), 2);
    assert_eq!(
        client.divide(6, 0).await,
        Err(CallError::Failed("by zero".to_owned()))
    );
    assert_eq!(client.later(5).await.unwrap(), 5);
    client.touch("x".into()).await.unwrap();
    assert_eq!(client.who().await.unwrap(), Some(std::process::id()));
}

#[tokio::test]
async fn bodies_of_any_size_come_back_whole() {
    let client = connected("sizes").await;
    for size in [0, 1, 4095, 4096, 65_535, 65_536, 65_537, 1 << 20, 64 << 20] {
        let bytes: bytes::Bytes = (0..size)
            .map(|i: usize| (i * 31 % 251) as u8)
            .collect::<Vec<_>>()
            .into();
        assert!(
            client.bytes(bytes.clone()).await.unwrap() == bytes,
            "{size} bytes"
        );
    }
}

#[tokio::test]
async fn a_panic_ends_its_call_alone() {
    let client = connected("panic").await;
    let fault = client.panics().await.unwrap_err();
    assert_eq!(
        (fault.outcome(), fault.reason()),
        (Outcome::Ran, Reason::Panicked)
    );
    assert_eq!(fault.detail(), Some("on purpose"));
    assert_eq!(client.echo("still here".into()).await.unwrap(), "still here");
}

#[tokio::test]
async fn a_deadline_ends_the_call_at_both_ends() {
    let client = connected("deadline")
        .await
        .with_timeout(Duration::from_millis(20));
    let fault = client.never().await.unwrap_err();
    assert_eq!(
        (fault.outcome(), fault.reason()),
        (Outcome::MayHaveRun, Reason::DeadlineExceeded)
    );
    assert_eq!(client.echo("still here".into()).await.unwrap(), "still here");
}

#[tokio::test]
async fn many_callers_share_a_connection() {
    let client = connected("many").await;
    let calls: Vec<_> = (0..5000)
        .map(|i| {
            let client = client.clone();
            tokio::spawn(async move { client.echo(i.to_string()).await.unwrap() == i.to_string() })
        })
        .collect();
    for call in calls {
        assert!(call.await.unwrap());
    }
}

#[tokio::test]
async fn a_ping_is_answered() {
    let name = format!("calls-ping-{}", std::process::id());
    let listener = PipeServer::bind(name.as_str()).unwrap();
    tokio::spawn(Server::builder().service(EchoServer::new(Echoer)).serve(listener));
    let channel = pipe_rpc::Connect::to(name.as_str()).open().await.unwrap();
    channel.ping().await.unwrap();
    channel.close();
    assert_eq!(channel.ping().await.unwrap_err().outcome(), Outcome::NotSent);
}
