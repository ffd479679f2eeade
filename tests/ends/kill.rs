//! A process is killed at whatever moment: at the other end every call ends once and says what is known, no handler
//! runs on, and others are served.

use pipe_rpc::{Connect, Outcome, PipeServer, Reason};

use crate::both::{Dice, End};
use crate::load::Load;
use crate::support::{Gauge, HANG, LabClient, child, soon, unique_name};

const ROUNDS: usize = 20;

pub(crate) async fn serve_until_killed(name: &str) {
    child::end_with_parent();
    let end = End::default();
    end.0.release();
    let listener = PipeServer::bind(name).unwrap();
    child::tell("ready");
    end.services().serve(listener).await.unwrap();
}

pub(crate) async fn call_until_killed(name: &str) {
    child::end_with_parent();
    let (channel, _) = plugin(name).await;
    let mut load = Load::start(&channel);
    panic!("a call failed: {:?}", load.tasks.join_next().await);
}

/// A client that serves, too.
async fn plugin(name: &str) -> (pipe_rpc::Channel, Gauge) {
    let end = End::default();
    let connect = Connect::to(name).deadline(HANG).handshake_timeout(HANG);
    (connect.serving(end.services()).open().await.unwrap(), end.0)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_killed_at_any_moment_ends_every_call_of_its_client_once() {
    let mut dice = Dice(0x2545_f491_4f6c_dd1d);
    for round in 0..ROUNDS {
        let name = unique_name("kill-server");
        let mut server = child::start("serve", &name);
        assert_eq!(server.told(), "ready");
        let (channel, gauge) = plugin(&name).await;
        let mut load = Load::start(&channel);
        soon(load.until_done(dice.below(200))).await;
        server.kill();
        while let Some(ended) = soon(load.tasks.join_next()).await {
            let fault = ended.unwrap();
            assert_eq!(fault.reason(), Reason::ConnectionLost, "round {round}: {fault:?}");
            let honest = matches!(fault.outcome(), Outcome::NotSent | Outcome::MayHaveRun);
            assert!(honest, "round {round}: {fault:?}");
        }
        // The dead server's calls of this end.
        gauge.until_running(0).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_killed_at_any_moment_leaves_no_handler_and_others_are_served() {
    let mut dice = Dice(0x9e37_79b9_7f4a_7c15);
    let (name, end) = (unique_name("kill-client"), End::default());
    end.0.release();
    let listener = PipeServer::bind(name.as_str()).unwrap();
    tokio::spawn(end.services().serve(listener));
    let (channel, _) = plugin(&name).await;
    let other = LabClient::new(channel);
    for _ in 0..ROUNDS {
        let before = end.0.begun();
        let mut client = child::start("call", &name);
        let moment = usize::try_from(dice.below(400)).unwrap();
        end.0.until_begun(before + 1 + moment).await;
        client.kill();
        end.0.until_running(0).await;
        assert_eq!(soon(other.echo("served".into())).await.unwrap(), "served");
    }
}
