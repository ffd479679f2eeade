//! A peer that reads slowly still gets all of its answers, also from a server that ends.

mod support;

use std::time::Duration;

use pipe_rpc_core::server::Server;
use pipe_rpc_core::testing::ScriptedPeer;
use pipe_rpc_core::transport::memory;
use support::peer::call;
use support::service::{LARGE, Probe};

#[tokio::test(start_paused = true)]
async fn an_answer_that_leaves_slowly_is_whole_before_the_farewell() {
    let (listener, connector) = memory::listener();
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let server = Server::builder()
        .service(Probe::default())
        .drain_deadline(Duration::from_secs(60));
    let serving = tokio::spawn(server.serve_until(listener, async { drop(stopped.await) }));
    let mut peer = ScriptedPeer::client(&connector).await;
    peer.send(&call((0, 1), LARGE, &[])).await;
    let first = peer.frame().await.expect("the answer begins");

    drop(stop);
    // Far longer than a farewell is waited for; the clock is simulated.
    tokio::time::sleep(Duration::from_secs(30)).await;

    let rest = peer.rest().await;
    let parts = rest
        .iter()
        .filter(|frame| (frame.slot, frame.generation) == (0, 1));
    let answer: usize = parts.map(|frame| frame.body.len()).sum();
    assert_eq!(first.body.len() + answer, 1 << 20);
    assert_eq!(rest.last().map(ToString::to_string).as_deref(), Some("farewell"));
    serving.await.unwrap().unwrap();
}
