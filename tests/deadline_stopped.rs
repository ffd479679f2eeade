//! A server process that is stopped: deadlines pass meanwhile, and when it goes on all is as before.
#![cfg(unix)]

#[expect(unreachable_pub, dead_code, reason = "each test file uses a part")]
mod support;

use std::future::poll_fn;
use std::time::Duration;

use pipe_rpc::{Channel, Connect, Outcome, PipeServer, Reason, Request, Server};
use rustix::process::{Pid, Signal, kill_process};
use support::lab::{LabServer, Laboratory};
use support::{LabClient, child, soon, unique_name};
use tower::Service;

const CREDIT: u32 = 4;

/// What this program does when a test has started it as another process.
#[test]
fn child_role() {
    let Some((_, name)) = child::role() else { return };
    child::end_with_parent();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let listener = PipeServer::bind(name.as_str()).unwrap();
        child::tell("ready");
        let server = Server::builder().max_calls(CREDIT);
        let service = LabServer::new(Laboratory::default());
        server.service(service).serve(listener).await.unwrap();
    });
}

/// Reserves all the credit there is, at once.
async fn reserve_all(channel: &Channel) {
    let mut handles = vec![channel.clone(); CREDIT as usize];
    for handle in &mut handles {
        soon(poll_fn(|cx| Service::<Request>::poll_ready(handle, cx)))
            .await
            .unwrap();
    }
}

#[tokio::test]
async fn a_stopped_server_holds_nobody_beyond_the_deadline_and_then_goes_on() {
    let name = unique_name("stopped");
    let mut server = child::start("serve", &name);
    assert_eq!(server.told(), "ready");
    let channel = Connect::to(name.as_str()).open().await.unwrap();
    let client = LabClient::new(channel.clone());
    let pid = Pid::from_raw(server.id().try_into().unwrap()).unwrap();
    for round in 0..3 {
        kill_process(pid, Signal::STOP).unwrap();
        let hasty = client.clone().with_timeout(Duration::from_millis(30));
        let calls: Vec<_> = (0..20)
            .map(|call| {
                let hasty = hasty.clone();
                tokio::spawn(async move {
                    match call % 2 {
                        0 => hasty.hold().await.map(u64::from).unwrap_err(),
                        _ => hasty.take(vec![7; 1 << 20].into()).await.unwrap_err(),
                    }
                })
            })
            .collect();
        let mut sent = 0;
        for call in calls {
            let fault = soon(call).await.unwrap();
            assert_eq!(fault.reason(), Reason::DeadlineExceeded, "{fault}");
            sent += u32::from(fault.outcome() == Outcome::MayHaveRun);
        }
        assert!(sent <= CREDIT, "{sent} calls sent on a credit of {CREDIT}");
        kill_process(pid, Signal::CONT).unwrap();
        let text = round.to_string();
        assert_eq!(soon(client.echo(text.clone())).await.unwrap(), text);
        reserve_all(&channel).await;
        assert_eq!(soon(client.take(vec![7; 1 << 20].into())).await.unwrap(), 1 << 20);
    }
}
