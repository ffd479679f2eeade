//! One of the two processes is killed in the middle of a callback.

use pipe_rpc::{CallError, ConnectionError, Outcome, PipeServer, Reason};

use crate::ends::{End, RelayClient, host, plugin};
use crate::support::{LabClient, child, soon, unique_name};

/// The other process.
pub(crate) fn play(role: &str, name: &str) {
    child::end_with_parent();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    match role {
        "host" => runtime.block_on(serve(name)),
        "plugin" => runtime.block_on(be_held(name)),
        other => panic!("no such role: {other}"),
    }
}

async fn serve(name: &str) {
    let listener = PipeServer::bind(name).unwrap();
    let serving = End::default().services().serve(listener);
    child::tell("ready");
    serving.await.unwrap();
}

async fn be_held(name: &str) {
    let (client, end) = plugin(name).await;
    client.keep().await.unwrap();
    let call = tokio::spawn(async move { client.hold_at_caller().await });
    end.lab.until_running(1).await;
    child::tell("held");
    let _ = call.await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn when_the_host_is_killed_the_call_and_the_callback_end() {
    let name = unique_name("callbacks-kill-host");
    let mut process = child::start("host", &name);
    assert_eq!(process.told(), "ready");
    let (client, plugin) = plugin(&name).await;
    let call = tokio::spawn({
        let client = client.clone();
        async move { client.hold_at_caller().await }
    });
    plugin.lab.until_running(1).await;
    process.kill();
    let Err(CallError::Fault(fault)) = soon(call).await.unwrap() else {
        panic!("the host is gone");
    };
    assert_eq!(
        (fault.outcome(), fault.reason()),
        (Outcome::MayHaveRun, Reason::ConnectionLost)
    );
    plugin.lab.until_running(0).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn when_the_plugin_is_killed_the_handler_ends_and_other_calls_to_it_fail() {
    let host = host("callbacks-kill-plugin");
    let mut process = child::start("plugin", &host.name);
    assert_eq!(process.told(), "held");
    assert_eq!(host.end.relay.gauge.running(), 1);
    let kept = host.end.relay.kept();
    let beside = tokio::spawn({
        let lab = LabClient::new(kept.clone());
        async move { lab.hold().await }
    });
    // It has arrived when this one is answered.
    soon(kept.ping()).await.unwrap();
    process.kill();
    let fault = soon(beside).await.unwrap().unwrap_err();
    assert_eq!(fault.reason(), Reason::ConnectionLost, "{fault}");
    host.end.relay.gauge.until_running(0).await;
    let why = soon(kept.closed()).await;
    assert!(matches!(*why, ConnectionError::PeerVanished), "{why}");
    let fault = soon(RelayClient::new(kept).bounce(0)).await.unwrap_err();
    assert!(fault.to_string().contains("not sent"), "{fault}");
}
