//! A server that is told to stop ends what runs, refuses what comes, and loses nothing it has answered.

#[expect(unreachable_pub, dead_code, reason = "each test file uses a part")]
mod support;

use std::time::Duration;

use pipe_rpc::{ConnectionError, Fault, Outcome, PipeServer, Reason, ServeError, Server, ServerBuilder};
use support::lab::{LabServer, Laboratory, Served, serve, start};
use support::{Gauge, HANG, LabClient, drop_at_poll, soon, unique_name};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

/// A lab whose server ends when it is told to.
struct Stoppable {
    lab: Served,
    stop: oneshot::Sender<()>,
    server: JoinHandle<Result<(), ServeError>>,
}

fn stoppable(test: &str, configure: impl FnOnce(ServerBuilder) -> ServerBuilder) -> Stoppable {
    let (name, gauge) = (unique_name(test), Gauge::default());
    let (stop, stopped) = oneshot::channel();
    let server = configure(Server::builder().service(LabServer::new(Laboratory(gauge.clone()))));
    let listener = PipeServer::bind(name.as_str()).unwrap();
    let server = tokio::spawn(server.serve_until(listener, async { stopped.await.unwrap() }));
    Stoppable {
        lab: Served { name, gauge },
        stop,
        server,
    }
}

/// Calls until a call is refused: the fault of that one.
async fn until_refused(client: &LabClient) -> Fault {
    loop {
        if let Err(fault) = soon(client.echo("still there".into())).await {
            return fault;
        }
    }
}

#[tokio::test]
async fn running_calls_end_and_new_ones_are_refused() {
    let Stoppable { lab, stop, server } = stoppable("shutdown-drain", |server| server);
    let channel = lab.channel().await;
    let client = LabClient::new(channel.clone());
    let running = start(&client, |client| async move { client.hold().await });
    lab.gauge.until_running(1).await;
    stop.send(()).unwrap();
    let fault = until_refused(&client).await;
    assert_eq!(fault.reason(), Reason::Draining);
    assert!(fault.outcome().is_safe_to_retry());
    assert!(LabClient::connect(&lab.name).await.is_err());
    lab.gauge.release();
    assert_eq!(soon(running).await.unwrap(), Ok(42));
    soon(server).await.unwrap().unwrap();
    let why = soon(channel.closed()).await;
    assert!(matches!(*why, ConnectionError::PeerClosed), "{why}");
}

#[tokio::test]
async fn the_drain_deadline_cuts_what_does_not_end() {
    let limit = Duration::from_millis(50);
    let Stoppable { lab, stop, server } = stoppable("shutdown-cut", |server| server.drain_deadline(limit));
    let client = lab.client().await;
    let running = start(&client, |client| async move { client.hold().await });
    lab.gauge.until_running(1).await;
    stop.send(()).unwrap();
    soon(server).await.unwrap().unwrap();
    let fault = soon(running).await.unwrap().unwrap_err();
    assert_eq!(
        (fault.outcome(), fault.reason()),
        (Outcome::MayHaveRun, Reason::Draining)
    );
    assert!(fault.to_string().contains("drain deadline"), "{fault}");
    lab.gauge.until_running(0).await;
}

#[tokio::test]
async fn what_the_drain_deadline_cuts_before_it_began_surely_has_not_run() {
    let limit = Duration::from_millis(50);
    let Stoppable { lab, stop, server } = stoppable("shutdown-cut-waiting", |server| {
        server.max_running(1).drain_deadline(limit)
    });
    let client = lab.client().await;
    let calls = [(); 2].map(|()| start(&client, |client| async move { client.hold().await }));
    lab.gauge.until_running(1).await;
    stop.send(()).unwrap();
    soon(server).await.unwrap().unwrap();
    let mut outcomes = Vec::new();
    for call in calls {
        let fault = soon(call).await.unwrap().unwrap_err();
        assert_eq!(fault.reason(), Reason::Draining);
        outcomes.push(fault.outcome());
    }
    assert_eq!(outcomes, [Outcome::MayHaveRun, Outcome::Refused]);
    lab.gauge.until_running(0).await;
    assert_eq!(lab.gauge.begun(), 1);
}

#[tokio::test]
async fn a_server_waits_for_handlers_that_nobody_waits_for() {
    let Stoppable {
        lab,
        stop,
        mut server,
    } = stoppable("shutdown-outlive", |server| server);
    let client = lab.client().await;
    client.touch_hold().await.unwrap();
    lab.gauge.until_running(1).await;
    client.caller().close();
    stop.send(()).unwrap();
    assert!(drop_at_poll(100, &mut server).await.is_none());
    lab.gauge.release();
    soon(server).await.unwrap().unwrap();
    assert_eq!(lab.gauge.running(), 0);
}

#[tokio::test]
async fn a_handler_that_nobody_waits_for_does_not_hold_a_server_beyond_its_deadline() {
    let limit = Duration::from_millis(50);
    let Stoppable { lab, stop, server } =
        stoppable("shutdown-outlive-cut", |server| server.drain_deadline(limit));
    let client = lab.client().await;
    client.touch_hold().await.unwrap();
    lab.gauge.until_running(1).await;
    client.caller().close();
    stop.send(()).unwrap();
    soon(server).await.unwrap().unwrap();
    assert_eq!(lab.gauge.running(), 1, "it runs on");
}

#[tokio::test]
async fn a_client_that_shuts_down_ends_what_runs_and_makes_no_more_calls() {
    let lab = serve("shutdown-own");
    let channel = lab.channel().await;
    let client = LabClient::new(channel.clone());
    let running = start(&client, |client| async move { client.hold().await });
    lab.gauge.until_running(1).await;
    // Dropped and begun again, it is the same shutdown.
    assert!(drop_at_poll(3, channel.shutdown(HANG)).await.is_none());
    let fault = soon(client.echo("one more".into())).await.unwrap_err();
    assert_eq!(
        (fault.outcome(), fault.reason()),
        (Outcome::NotSent, Reason::Draining)
    );
    lab.gauge.release();
    let (first, second) = tokio::join!(channel.shutdown(HANG), client.caller().shutdown(HANG));
    assert!(first.is_ok() && second.is_ok(), "{first:?}, {second:?}");
    assert_eq!(soon(running).await.unwrap(), Ok(42));
    assert!(channel.shutdown(Duration::ZERO).await.is_ok(), "it is over");
}

#[tokio::test]
async fn the_limit_of_a_client_that_shuts_down_cuts_what_does_not_end() {
    let lab = serve("shutdown-own-cut");
    let client = lab.client().await;
    let running = start(&client, |client| async move { client.hold().await });
    lab.gauge.until_running(1).await;
    let why = soon(client.caller().shutdown(Duration::from_millis(50)))
        .await
        .unwrap_err();
    assert!(matches!(*why, ConnectionError::DrainDeadline), "{why}");
    let fault = soon(running).await.unwrap().unwrap_err();
    assert_eq!(
        (fault.outcome(), fault.reason()),
        (Outcome::MayHaveRun, Reason::Draining)
    );
    assert!(fault.to_string().contains("drain deadline"), "{fault}");
    lab.gauge.until_running(0).await;
    assert_eq!(
        soon(lab.client().await.echo("others go on".into()))
            .await
            .unwrap(),
        "others go on"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_has_run_is_answered_and_what_is_refused_has_not_run() {
    let Stoppable { lab, stop, server } = stoppable("shutdown-count", |server| server);
    let client = lab.client().await;
    let callers: Vec<_> = (0..32)
        .map(|caller| {
            start(&client, move |client| async move {
                for answered in 0.. {
                    // Every other caller's bodies go in fragments.
                    let size = if caller % 2 == 0 { 10 } else { 100_000 };
                    if let Err(fault) = client.take(vec![7; size].into()).await {
                        return (answered, fault);
                    }
                }
                unreachable!("the server stops")
            })
        })
        .collect();
    lab.gauge.until_begun(500).await;
    stop.send(()).unwrap();
    soon(server).await.unwrap().unwrap();
    let mut answered = 0;
    for caller in callers {
        let (count, fault) = soon(caller).await.unwrap();
        answered += count;
        assert!(fault.outcome().is_safe_to_retry(), "{fault:?}");
    }
    assert_eq!(answered, lab.gauge.begun());
}

#[tokio::test]
async fn the_last_large_responses_arrive_whole() {
    let Stoppable { lab, stop, server } = stoppable("shutdown-large", |server| server);
    let client = lab.client().await;
    let calls: Vec<_> = (0..4)
        .map(|_| start(&client, |client| async move { client.give(8 << 20).await }))
        .collect();
    // All have been sent, before the echo; their responses need many packets.
    assert_eq!(client.echo("after them".into()).await.unwrap(), "after them");
    stop.send(()).unwrap();
    for call in calls {
        assert_eq!(soon(call).await.unwrap().unwrap().len(), 8 << 20);
    }
    soon(server).await.unwrap().unwrap();
}

/// How many tasks the runtime has.
fn tasks() -> usize {
    tokio::runtime::Handle::current().metrics().num_alive_tasks()
}

#[tokio::test]
async fn a_client_that_drops_its_last_channel_leaves_nothing_behind() {
    let lab = serve("shutdown-client");
    drop(lab.client().await);
    soon(async {
        let client = lab.client().await;
        client.echo("there".into()).await.unwrap();
    })
    .await;
    // The server's own tasks, once the connections are gone.
    let settled = async || {
        let mut count = tasks();
        for _ in 0..1000 {
            tokio::task::yield_now().await;
            count = count.min(tasks());
        }
        count
    };
    let before = soon(settled()).await;
    for _ in 0..100 {
        let client = lab.client().await;
        client.touch().await.unwrap();
        let clone = client.clone();
        drop(client);
        assert_eq!(soon(clone.echo("still".into())).await.unwrap(), "still");
    }
    soon(async {
        while tasks() > before {
            tokio::task::yield_now().await;
        }
    })
    .await;
    assert_eq!(lab.gauge.begun(), 100);
}
