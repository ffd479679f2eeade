//! Nobody waits for a callback any more: it ends as its caller does.

use std::time::Duration;

use pipe_rpc::{CallError, Connect, Context, Reason, Server};

use crate::ends::{Relay, RelayClient, RelayServer, connect, host, plugin, told};
use crate::support::lab::serve;
use crate::support::{Gauge, LabClient, soon};

/// Passes what it is called with on to a third process.
struct Passing {
    to: LabClient,
    gauge: Gauge,
}

impl Relay for Passing {
    async fn bounce(&self, _: &Context, _: u32) -> Result<u8, String> {
        let _here = self.gauge.enter();
        told(self.to.hold().await).map(|_| 0)
    }
    async fn bounce_slowly(&self, _: &Context, _: u32) -> Result<u8, String> {
        Err("not here".into())
    }
    async fn pass_on(&self) -> Result<u8, String> {
        Err("not here".into())
    }
    async fn hold_at_caller(&self, _: &Context) -> Result<u32, String> {
        Err("not here".into())
    }
    async fn remaining_at_caller(&self, _: &Context) -> Result<Option<u64>, String> {
        told(self.to.remaining().await)
    }
    async fn keep(&self, _: &Context) {}
}

#[tokio::test]
async fn a_cancelled_call_cancels_its_callback_and_what_that_calls_elsewhere() {
    let (host, third) = (host("callbacks-cancel"), serve("callbacks-third"));
    let gauge = Gauge::default();
    let passing = Passing {
        to: third.client().await,
        gauge: gauge.clone(),
    };
    let offers = Server::builder().service(RelayServer::new(passing));
    let target: Connect = connect(&host.name).serving(offers);
    let client = RelayClient::connect(target).await.unwrap();
    let gauges = [&host.end.relay.gauge, &gauge, &third.gauge];
    for round in 1..=20 {
        let call = tokio::spawn({
            let client = client.clone();
            async move { client.bounce(1).await }
        });
        for gauge in gauges {
            gauge.until_begun(round).await;
        }
        call.abort();
        for gauge in gauges {
            gauge.until_running(0).await;
        }
    }
    third.gauge.release();
    assert_eq!(soon(client.bounce(1)).await, Ok(0));
}

#[tokio::test]
async fn a_callback_inherits_the_deadline() {
    let host = host("callbacks-deadline");
    let (client, plugin) = plugin(&host.name).await;
    assert_eq!(soon(client.remaining_at_caller()).await, Ok(None));
    let limit = Duration::from_secs(600);
    let limited = client.clone().with_timeout(limit);
    let left = soon(limited.remaining_at_caller()).await.unwrap().unwrap();
    assert!(u128::from(left) <= limit.as_micros(), "{left}");

    let limited = client.clone().with_timeout(Duration::from_millis(50));
    let Err(CallError::Fault(fault)) = soon(limited.hold_at_caller()).await else {
        panic!("it is held for longer");
    };
    assert_eq!(fault.reason(), Reason::DeadlineExceeded, "{fault}");
    plugin.lab.until_running(0).await;
    host.end.relay.gauge.until_running(0).await;
    assert_eq!(soon(client.bounce(2)).await, Ok(2));
}
