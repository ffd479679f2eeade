//! Clients without async: with no runtime around them, inside one, and from several threads.
#![cfg(feature = "blocking")]

#[expect(unreachable_pub, dead_code, reason = "each test file uses a part")]
mod support;

use std::time::Duration;

use pipe_rpc::{
    BlockingStreaming, CallError, Connect, ConnectionError, Fault, Outcome, PipeServer, Reason,
    ReconnectPolicy, Server,
};
use support::lab::{LabBlockingClient, LabClient, LabServer, Laboratory, Served, serve};
use support::streams::{MillBlockingClient, Refusal};
use tokio::runtime::Runtime;

/// A lab served by a runtime on threads of its own.
fn lab(test: &str) -> (Runtime, Served) {
    let runtime = Runtime::new().unwrap();
    let lab = {
        let _inside = runtime.enter();
        serve(test)
    };
    (runtime, lab)
}

fn call_it(name: &str) {
    let client = LabBlockingClient::connect(name).unwrap();
    for call in 0..20 {
        assert_eq!(client.echo(call.to_string()).unwrap(), call.to_string());
    }
    assert_eq!(client.take(vec![7; 1 << 20].into()).unwrap(), 1 << 20);
    client.touch().unwrap();
}

#[test]
fn a_blocking_client_needs_no_runtime() {
    let (_runtime, lab) = lab("blocking-none");
    call_it(&lab.name);
}

#[test]
fn a_blocking_client_works_inside_a_runtime_of_many_threads() {
    let (_runtime, lab) = lab("blocking-many");
    let inside = Runtime::new().unwrap();
    let name = lab.name.clone();
    inside
        .block_on(inside.spawn(async move { call_it(&name) }))
        .unwrap();
    inside.block_on(async { call_it(&lab.name) });
}

#[test]
fn a_blocking_client_works_inside_a_runtime_of_one_thread() {
    let (_runtime, lab) = lab("blocking-one");
    let inside = tokio::runtime::Builder::new_current_thread().build().unwrap();
    inside.block_on(async { call_it(&lab.name) });
    let name = lab.name.clone();
    inside.block_on(async { tokio::task::spawn_blocking(move || call_it(&name)).await.unwrap() });
}

#[test]
fn a_blocking_client_outlives_its_server() {
    let name = support::unique_name("blocking-reconnect");
    let serve = || {
        let runtime = Runtime::new().unwrap();
        {
            let _inside = runtime.enter();
            let listener = PipeServer::bind(name.as_str()).unwrap();
            let server = Server::builder().service(LabServer::new(Laboratory::default()));
            tokio::spawn(server.serve(listener));
        }
        runtime
    };
    let first = serve();
    let builder = LabClient::builder(&name).reconnect(ReconnectPolicy::default().max_wait(support::HANG));
    let mut states = builder.states();
    let client = LabBlockingClient::connect_with(builder.connect()).unwrap();
    assert_eq!(client.echo("first".into()).unwrap(), "first");
    drop(first);
    let second = serve();
    second.block_on(states.wait_for(|state| !state.is_connected()));
    assert_eq!(client.clone().echo("second".into()).unwrap(), "second");
    drop(client);
    assert!(second.block_on(states.wait_for(|_| false)).is_final());
}

#[test]
fn threads_share_a_blocking_client() {
    let (_runtime, lab) = lab("blocking-threads");
    let client = LabBlockingClient::connect(&lab.name).unwrap();
    std::thread::scope(|scope| {
        for thread in 0..8 {
            let client = client.clone();
            scope.spawn(move || {
                for call in 0..50 {
                    let text = format!("{thread}.{call}");
                    assert_eq!(client.echo(text.clone()).unwrap(), text);
                }
            });
        }
    });
}

#[test]
fn a_blocking_call_ends_when_its_server_does() {
    let (runtime, lab) = lab("blocking-lost");
    let client = LabBlockingClient::connect(&lab.name).unwrap();
    let call = std::thread::spawn(move || client.hold().unwrap_err());
    runtime.block_on(lab.gauge.until_running(1));
    runtime.shutdown_background();
    let fault = call.join().unwrap();
    assert_eq!(fault.outcome(), Outcome::MayHaveRun);
    // Whichever the server's runtime drops first: the handler, which then says that it was dropped, or the connection.
    let reasons = [Reason::Cancelled, Reason::ConnectionLost];
    assert!(reasons.contains(&fault.reason()), "{fault}");
}

#[test]
fn a_blocking_client_that_is_dropped_leaves_its_server_nothing_to_do() {
    let (runtime, lab) = lab("blocking-drop");
    for _ in 0..20 {
        let client = LabBlockingClient::connect(&lab.name).unwrap();
        client.touch_hold().unwrap();
        drop(client);
    }
    runtime.block_on(lab.gauge.until_running(20));
    lab.gauge.release();
    runtime.block_on(lab.gauge.until_running(0));
}

#[test]
fn a_blocking_client_that_shuts_down_ends_what_runs_and_makes_no_more_calls() {
    let (runtime, lab) = lab("blocking-shutdown");
    let client = LabBlockingClient::connect(&lab.name).unwrap();
    let running = std::thread::spawn({
        let client = client.clone();
        move || client.hold()
    });
    runtime.block_on(lab.gauge.until_running(1));
    let leaving = std::thread::spawn({
        let client = client.clone();
        move || client.caller().shutdown(support::HANG)
    });
    let fault = loop {
        // Until the other thread has begun to leave, calls go through.
        match client.echo("one more".into()) {
            Ok(text) => assert_eq!(text, "one more"),
            Err(fault) => break fault,
        }
    };
    assert_eq!(
        (fault.outcome(), fault.reason()),
        (Outcome::NotSent, Reason::Draining)
    );
    assert!(!leaving.is_finished(), "a call runs");
    lab.gauge.release();
    assert_eq!(running.join().unwrap(), Ok(42));
    assert!(leaving.join().unwrap().is_ok());
    assert!(client.caller().shutdown(Duration::ZERO).is_ok(), "it is over");
}

#[test]
fn the_limit_of_a_blocking_shutdown_cuts_what_does_not_end() {
    let (runtime, lab) = lab("blocking-shutdown-cut");
    let client = LabBlockingClient::connect(&lab.name).unwrap();
    let running = std::thread::spawn({
        let client = client.clone();
        move || client.hold()
    });
    runtime.block_on(lab.gauge.until_running(1));
    let why = client.caller().shutdown(Duration::from_millis(50)).unwrap_err();
    assert!(matches!(*why, ConnectionError::DrainDeadline), "{why}");
    let fault = running.join().unwrap().unwrap_err();
    assert_eq!(
        (fault.outcome(), fault.reason()),
        (Outcome::MayHaveRun, Reason::Draining)
    );
    runtime.block_on(lab.gauge.until_running(0));
}

#[test]
fn a_blocking_shutdown_cuts_a_stream_that_its_own_thread_would_read() {
    let (_runtime, mill, client) = mill("blocking-shutdown-stream");
    let mut numbers = client.forever().unwrap();
    assert_eq!(numbers.next(), Some(Ok(0)));
    let why = client.caller().shutdown(Duration::from_millis(50)).unwrap_err();
    assert!(matches!(*why, ConnectionError::DrainDeadline), "{why}");
    // What had come is there, and it does not look whole.
    let (read, fault) = read_to_the_fault(numbers);
    assert_eq!(read, Vec::from_iter(1..=read.len() as u64));
    assert_eq!(
        (fault.outcome(), fault.reason()),
        (Outcome::MayHaveRun, Reason::Draining)
    );
    wait_for(mill.gauge.until_running(0));
}

#[test]
fn a_blocking_client_that_reconnects_shuts_down_for_good() {
    let (_runtime, lab) = lab("blocking-shutdown-reconnect");
    let builder = LabClient::builder(&lab.name).reconnect(ReconnectPolicy::default());
    let client = LabBlockingClient::connect_with(builder.connect()).unwrap();
    assert_eq!(client.echo("there".into()).unwrap(), "there");
    assert!(client.caller().shutdown(support::HANG).is_ok());
    assert_eq!(
        client.echo("gone".into()).unwrap_err().outcome(),
        Outcome::NotSent
    );
    let mut states = client.caller().get_ref().states();
    assert!(wait_for(states.wait_for(|_| false)).is_final());
}

#[test]
fn a_blocking_connect_says_what_an_async_one_does() {
    let nobody = support::unique_name("blocking-nobody");
    let connect = Connect::to(nobody.as_str()).deadline(Duration::from_secs(1));
    let error = LabBlockingClient::connect(connect).unwrap_err().to_string();
    assert!(error.starts_with("no server listens on `"), "{error}");
}

/// A mill served by a runtime on threads of its own, and a client of it.
fn mill(test: &str) -> (Runtime, support::streams::Served, MillBlockingClient) {
    let runtime = Runtime::new().unwrap();
    let mill = {
        let _inside = runtime.enter();
        support::streams::serve(test)
    };
    let client = MillBlockingClient::connect(mill.name.as_str()).unwrap();
    (runtime, mill, client)
}

#[test]
fn a_stream_is_an_iterator() {
    let (_runtime, mill, client) = mill("blocking-stream");
    let numbers: Result<Vec<u64>, _> = client.count(5000).unwrap().collect();
    assert_eq!(numbers.unwrap(), Vec::from_iter(0..5000));
    let failed: Vec<_> = client.fail_after(2).unwrap().collect();
    let refusal = CallError::Failed(Refusal { after: 2 });
    assert_eq!(failed, [Ok(0), Ok(1), Err(refusal)]);
    let first: Vec<_> = client.forever().unwrap().take(3).collect();
    assert_eq!(first, [Ok(0), Ok(1), Ok(2)]);
    // Dropped before its end, it is dropped at the server too.
    wait_for(mill.gauge.until_running(0));
}

#[test]
fn an_iterator_is_a_stream() {
    let (_runtime, _mill, client) = mill("blocking-upload");
    assert_eq!(client.sum(0..1000).unwrap(), (0..1000).sum::<u64>());
    let (sender, numbers) = std::sync::mpsc::channel();
    let feeding = std::thread::spawn(move || (0..10).for_each(|number| sender.send(number).unwrap()));
    assert_eq!(client.sum(numbers).unwrap(), 45, "an iterator may block");
    feeding.join().unwrap();
    let both: Vec<_> = client.double(0..100).unwrap().map(Result::unwrap).collect();
    assert_eq!(both, Vec::from_iter((0..100).map(|number| 2 * number)));
}

#[test]
fn an_iterator_that_panics_never_looks_whole() {
    let (_runtime, _mill, client) = mill("blocking-upload-panic");
    let numbers = (0..).inspect(|number| assert!(*number < 5, "on purpose"));
    let failed = client.sum(numbers);
    assert_eq!(failed, Err(CallError::Failed(Refusal { after: 5 })));
}

/// What a stream brings until it breaks off, and why it does.
fn read_to_the_fault(numbers: BlockingStreaming<u64>) -> (Vec<u64>, Fault) {
    let mut read = Vec::new();
    for number in numbers {
        match number {
            Ok(number) => read.push(number),
            Err(CallError::Fault(fault)) => return (read, fault),
            Err(CallError::Failed(never)) => match never {},
        }
    }
    panic!("after {} numbers it looks whole", read.len());
}

/// Waits for a future in a thread without a runtime.
fn wait_for<F: Future>(future: F) -> F::Output {
    Runtime::new().unwrap().block_on(support::soon(future))
}
