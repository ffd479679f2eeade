//! The harness that drops futures: it drops each at every moment, and tells what it finds.

mod support;

use std::sync::Arc;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};

use bytes::Bytes;
use pipe_rpc_core::client::{Channel, Stub};
use pipe_rpc_core::fault::{Fault, Outcome, Reason};
use pipe_rpc_core::message::Request;
use pipe_rpc_core::method::Method;
use pipe_rpc_core::server::{Mount, Reply, Server};
use pipe_rpc_core::testing::{
    Handlers, Moment, ScriptedPeer, assert_whole, cancel_at_every_handler_poll, connect, drop_at,
    drop_at_every_poll, drop_handler_at_every_poll, frame,
};
use support::service::{ECHO, method};
use tokio::task::yield_now;

/// Two awaits, and how far it came.
async fn two_awaits(steps: &Mutex<Vec<u32>>) {
    for step in 1..=2 {
        steps.lock().unwrap().push(step);
        yield_now().await;
    }
    steps.lock().unwrap().push(3);
}

#[tokio::test]
async fn a_future_is_dropped_at_every_moment_until_it_ends() {
    let runs = Mutex::new(Vec::new());
    let polls = drop_at_every_poll(async || {
        let steps = Arc::new(Mutex::new(Vec::new()));
        let seen = Arc::clone(&steps);
        let (seen, runs) = (seen, &runs);
        let check = async move { runs.lock().unwrap().push(seen.lock().unwrap().clone()) };
        (async move { two_awaits(&steps).await }, check)
    })
    .await;
    assert_eq!(polls, 3);
    let runs = runs.into_inner().unwrap();
    // Before the first poll; after each poll and when woken after it; to the end.
    assert_eq!(
        runs,
        [vec![], vec![1], vec![1], vec![1, 2], vec![1, 2], vec![1, 2, 3]]
    );
}

#[tokio::test]
async fn a_future_is_dropped_before_anything_else_runs_or_when_it_is_woken() {
    for (moment, others) in [(Moment::After(1), 0), (Moment::Woken(1), 1)] {
        let (told, heard) = tokio::sync::oneshot::channel();
        let ran = AtomicUsize::new(0);
        let other = async {
            told.send(()).ok();
            ran.fetch_add(1, SeqCst);
            yield_now().await;
            ran.fetch_add(1, SeqCst);
        };
        let dropped = async {
            assert_eq!(drop_at(moment, heard).await, None);
            assert_eq!(ran.load(SeqCst), others);
        };
        tokio::join!(biased; dropped, other);
    }
}

#[tokio::test]
async fn a_check_that_fails_says_so_with_its_own_panic() {
    let scenario = async || (yield_now(), async { panic!("something is missing") });
    let panic = tokio::task::LocalSet::new()
        .run_until(async {
            tokio::task::spawn_local(async move { drop_at_every_poll(scenario).await })
                .await
                .unwrap_err()
        })
        .await;
    assert_eq!(
        *panic.into_panic().downcast::<&str>().unwrap(),
        "something is missing"
    );
}

#[tokio::test(start_paused = true)]
#[should_panic(expected = "the future under test hangs")]
async fn a_future_that_never_ends_is_told() {
    drop_at_every_poll(async || (std::future::pending::<()>(), async {})).await;
}

/// A handler with as many awaits as its argument has bytes, that notes how far it came.
#[derive(Clone, Default)]
struct Steps(Arc<Mutex<Vec<usize>>>);

static STEP: [Method; 1] = [Method::new("Steps", "step", "(Bytes) -> ()")];

impl Mount for Steps {
    fn name(&self) -> &'static str {
        "Steps"
    }
    fn methods(&self) -> &'static [Method] {
        &STEP
    }
    fn call(&self, _: usize, request: Request) -> Reply {
        let steps = Arc::clone(&self.0);
        Box::pin(async move {
            let (cx, bytes) = request.accept::<Bytes>()?;
            for step in 0..bytes.len() {
                steps.lock().unwrap().push(step);
                yield_now().await;
            }
            cx.respond(())
        })
    }
}

async fn steps() -> (Handlers, Steps, Channel, Stub<Channel>) {
    let (handlers, steps) = (Handlers::new(), Steps::default());
    let server = Server::builder().service(steps.clone()).layer(handlers.clone());
    let channel = connect(server).await;
    (handlers, steps, channel.clone(), Stub::new(channel, "Steps"))
}

fn three_steps(stub: &Stub<Channel>) -> impl Future<Output = Result<(), Fault>> {
    stub.call(&STEP[0], Bytes::from_static(b"abc"), None)
}

#[tokio::test(start_paused = true)]
async fn a_handler_is_dropped_at_every_moment_and_its_call_fails() {
    let (handlers, steps, channel, stub) = steps().await;
    let results = Mutex::new(Vec::new());
    let polls = drop_handler_at_every_poll(&handlers, async || {
        let call = async {
            let result = three_steps(&stub).await;
            results.lock().unwrap().push(result);
        };
        (call, async { assert_whole(&channel).await })
    })
    .await;
    assert_eq!(polls, 4);
    let results = results.into_inner().unwrap();
    let (last, dropped) = results.split_last().unwrap();
    assert_eq!(
        dropped.len(),
        7,
        "before its first poll, and at both ends of three awaits"
    );
    let faults: Vec<_> = dropped
        .iter()
        .map(|result| result.as_ref().unwrap_err())
        .collect();
    assert!(
        faults.iter().all(|fault| fault.reason() == Reason::Layer),
        "{faults:?}"
    );
    assert_eq!(faults[0].outcome(), Outcome::Refused, "it was not entered");
    assert!(
        faults[1..]
            .iter()
            .all(|fault| fault.outcome() == Outcome::MayHaveRun)
    );
    assert_eq!(*last, Ok(()));
    let run = [0, 1, 2];
    let expected: Vec<_> = [&run[..1], &run[..1], &run[..2], &run[..2], &run, &run, &run].concat();
    assert_eq!(*steps.0.lock().unwrap(), expected);
}

#[tokio::test(start_paused = true)]
async fn a_call_is_cancelled_in_every_await_of_its_handler() {
    let (handlers, steps, channel, stub) = steps().await;
    let awaits = cancel_at_every_handler_poll(&handlers, async || {
        (three_steps(&stub), async { assert_whole(&channel).await })
    })
    .await;
    assert_eq!(awaits, 3);
    assert_eq!(*steps.0.lock().unwrap(), [0, 0, 1, 0, 1, 2, 0, 1, 2]);
}

#[tokio::test(start_paused = true)]
#[should_panic(
    expected = "credit is missing: 1 calls are open and 0 streams kept, 15 of 16 calls and 1048576 of 1048576 bytes of the window are free"
)]
async fn a_call_that_is_not_given_back_is_told() {
    let (channel, mut server) = ScriptedPeer::server().await;
    let stub = Stub::new(channel.clone(), "Probe");
    let call = stub.call::<_, Bytes>(method(ECHO), Bytes::new(), None);
    assert_eq!(drop_at(Moment::After(1), call).await.map(drop), None);
    let pongs = async {
        loop {
            if let Some(ping) = server.frame().await.filter(|frame| frame.kind == 10) {
                server.send(frame::pong(ping.number())).await;
            }
        }
    };
    tokio::select! {
        () = assert_whole(&channel) => {}
        () = pongs => {}
    }
}
