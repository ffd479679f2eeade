//! Handlers dropped at the server, and cancelled.

use rpc_core::testing::{Handlers, cancel_at_every_handler_poll, drop_handler_at_every_poll, serve};

use super::bench::Bench;
use super::kinds::{Kind, each_kind, make};

#[tokio::test(start_paused = true)]
async fn a_handler_dropped_at_the_server_leaves_nothing_behind() {
    let handlers = Handlers::new();
    let bench = Bench::new(|server| serve(server.layer(handlers.clone()))).await;
    each_kind(async |kind| {
        let polls = drop_handler_at_every_poll(&handlers, async || {
            (make(kind, bench.client.clone()), bench.assert_well())
        })
        .await;
        assert!(polls > 1, "{kind:?} has awaits");
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_call_cancelled_in_any_await_of_its_handler_leaves_nothing_behind() {
    let handlers = Handlers::new();
    let bench = Bench::new(|server| serve(server.layer(handlers.clone()))).await;
    each_kind(async |kind| {
        let awaits = cancel_at_every_handler_poll(&handlers, async || {
            (make(kind, bench.client.clone()), bench.assert_well())
        })
        .await;
        // A oneway call may have ended before its handler is held.
        let oneway = matches!(kind, Kind::Oneway | Kind::LargeOneway);
        assert!(awaits > 0 || oneway, "{kind:?} has awaits");
    })
    .await;
}
