//! An end that leaves lets those finish that call back, and takes and makes nothing new.

use std::future::Future;

use pipe_rpc::{CallError, ConnectionError, Fault, Outcome, PipeServer, Reason, ServeError};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use crate::ends::{End, Host, RelayClient, host_with, plugin};
use crate::support::{LabClient, soon, unique_name};

/// A host that ends when it is told to.
struct Stoppable {
    host: Host,
    stop: oneshot::Sender<()>,
    server: JoinHandle<Result<(), ServeError>>,
}

fn stoppable(test: &str) -> Stoppable {
    let (name, end) = (unique_name(test), End::default());
    let (stop, stopped) = oneshot::channel();
    let listener = PipeServer::bind(name.as_str()).unwrap();
    let serving = end
        .services()
        .serve_until(listener, async { stopped.await.unwrap() });
    let server = tokio::spawn(serving);
    let host = Host { name, end };
    Stoppable { host, stop, server }
}

/// Calls until a call of depth 0 is refused.
async fn until_refused<F: Future<Output = Result<u8, CallError<String>>>>(call: impl Fn() -> F) -> Fault {
    loop {
        match soon(call()).await {
            Ok(_) => {}
            Err(CallError::Fault(fault)) => return fault,
            Err(failed) => panic!("{failed}"),
        }
    }
}

fn assert_draining(fault: &Fault) {
    assert_eq!(fault.reason(), Reason::Draining, "{fault}");
    assert!(fault.outcome().is_safe_to_retry(), "{fault}");
}

#[tokio::test]
async fn a_handler_that_calls_back_finishes_while_the_host_drains() {
    let Stoppable { host, stop, server } = stoppable("callbacks-drain");
    let (client, plugin) = plugin(&host.name).await;
    client.keep().await.unwrap();
    let running = tokio::spawn({
        let client = client.clone();
        async move { client.bounce_slowly(6).await }
    });
    host.end.relay.gauge.until_running(1).await;
    stop.send(()).unwrap();
    // New calls of depth 0 are over, in both directions.
    assert_draining(&until_refused(|| client.bounce(0)).await);
    let back = RelayClient::new(host.end.relay.kept());
    assert_draining(&until_refused(|| back.bounce(0)).await);
    // The calls that this one leads to begin only now.
    assert_eq!(plugin.relay.gauge.begun(), 0);
    plugin.relay.gauge.release();
    host.end.relay.gauge.release();
    assert_eq!(soon(running).await.unwrap(), Ok(6));
    soon(server).await.unwrap().unwrap();
    let why = soon(client.closed()).await;
    assert!(matches!(*why, ConnectionError::PeerClosed), "{why}");
}

#[tokio::test]
async fn a_handler_may_still_call_another_client_while_the_host_drains() {
    let Stoppable { host, stop, server } = stoppable("callbacks-drain-other");
    let (client, _plugin) = plugin(&host.name).await;
    let (other, idle) = plugin(&host.name).await;
    other.keep().await.unwrap();
    let running = tokio::spawn({
        let client = client.clone();
        async move { client.pass_on().await }
    });
    host.end.relay.gauge.until_running(1).await;
    stop.send(()).unwrap();
    assert_draining(&until_refused(|| other.bounce(0)).await);
    host.end.relay.gauge.release();
    // It is one deep: the handler's call.
    assert_eq!(soon(running).await.unwrap(), Ok(1));
    assert_eq!(idle.relay.gauge.begun(), 1);
    soon(server).await.unwrap().unwrap();
}

#[tokio::test]
async fn a_client_that_leaves_answers_what_it_was_called_for() {
    let (told, tells) = oneshot::channel();
    let told = std::sync::Mutex::new(Some(told));
    let host = host_with("callbacks-leave", |server| {
        server.on_connect(move |peer| {
            let told = told.lock().unwrap().take().unwrap();
            async move {
                let held = LabClient::new(peer.clone()).hold().await;
                let why = peer.closed().await;
                told.send((
                    held,
                    why.to_string(),
                    LabClient::new(peer).echo("there".into()).await,
                ))
                .unwrap();
            }
        })
    });
    let (client, plugin) = plugin(&host.name).await;
    plugin.lab.until_running(1).await;
    client.keep().await.unwrap();
    drop(client);
    // The host's new calls are over, and its old one is not.
    let back = RelayClient::new(host.end.relay.kept());
    assert_draining(&until_refused(|| back.bounce(0)).await);
    plugin.lab.release();
    let (held, why, after) = soon(tells).await.unwrap();
    assert_eq!(held, Ok(42));
    assert_eq!(why, ConnectionError::PeerClosed.to_string());
    assert_eq!(after.unwrap_err().outcome(), Outcome::NotSent);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn calls_to_a_client_that_leaves_are_answered_or_surely_did_not_run() {
    let host = host_with("callbacks-leave-busy", |server| server);
    for _ in 0..50 {
        let (client, plugin) = plugin(&host.name).await;
        client.keep().await.unwrap();
        let callers: Vec<_> = (0..8)
            .map(|_| {
                let back = RelayClient::new(host.end.relay.kept());
                tokio::spawn(async move {
                    let mut answered = 0;
                    loop {
                        match back.bounce(0).await {
                            Ok(_) => answered += 1,
                            Err(error) => return (answered, error),
                        }
                    }
                })
            })
            .collect();
        plugin.relay.gauge.until_begun(20).await;
        drop(client);
        let mut answered = 0;
        for caller in callers {
            let (count, error) = soon(caller).await.unwrap();
            answered += count;
            let CallError::Fault(fault) = error else {
                panic!("{error}");
            };
            assert!(fault.outcome().is_safe_to_retry(), "{fault}");
        }
        assert_eq!(plugin.relay.gauge.begun(), answered);
    }
}
