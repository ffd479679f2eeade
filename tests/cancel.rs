//! A call that nobody waits for any more, wherever it is: its handler is dropped, its credit is free, the rest goes on.

#[expect(unreachable_pub, dead_code, reason = "each test file uses a part")]
mod support;

use std::time::Duration;

use bytes::Bytes;
use support::lab::{all_is_well, serve_few, serve_with, start};
use support::{LabClient, drop_at_poll, link, poll_once, soon};

/// Larger than what a pipe holds, smaller than the window.
fn large() -> Bytes {
    vec![7; 4 << 20].into()
}

/// How many calls a connection of these tests may have open.
const FEW: u32 = 4;

#[tokio::test]
async fn a_call_dropped_while_it_waits_for_credit_is_never_sent() {
    let lab = serve_few("cancel-credit", FEW);
    let client = lab.client().await;
    let holding: Vec<_> = (0..FEW)
        .map(|_| start(&client, |client| async move { client.hold().await }))
        .collect();
    lab.gauge.until_running(FEW as usize).await;
    assert_eq!(drop_at_poll(3, client.hold()).await, None);
    lab.gauge.release();
    for call in holding {
        assert_eq!(soon(call).await.unwrap(), Ok(42));
    }
    assert_eq!(lab.gauge.begun(), FEW as usize);
    all_is_well(&client, &lab.gauge, FEW as usize).await;
}

#[tokio::test]
async fn a_dropped_call_drops_its_handler() {
    let lab = serve_few("cancel-sent", FEW);
    let client = lab.client().await;
    for call in 1..=20 {
        let held = start(&client, |client| async move { client.hold().await });
        lab.gauge.until_begun(call).await;
        held.abort();
        lab.gauge.until_running(0).await;
    }
    all_is_well(&client, &lab.gauge, FEW as usize).await;
}

#[tokio::test]
async fn a_dropped_call_drops_its_handler_that_never_began_to_wait() {
    // Request and Cancel leave in one packet, behind one that the pipe took at once.
    let lab = serve_few("cancel-together", 16);
    let client = lab.client().await;
    for _ in 0..50 {
        let mut first = Box::pin(client.echo("leaves at once".into()));
        assert_eq!(poll_once(&mut first).await, None);
        assert_eq!(poll_once(&mut Box::pin(client.hold())).await, None);
        assert_eq!(soon(first).await.unwrap(), "leaves at once");
    }
    all_is_well(&client, &lab.gauge, 16).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn a_call_dropped_half_sent_is_not_run_and_tears_nothing() {
    let lab = serve_few("cancel-half", FEW);
    let (channel, sent) = link::counted_channel(&lab.name).await;
    let client = LabClient::new(channel);
    // The handler holds the thread that reads the pipe.
    let blocked = start(&client, |client| async move { client.block().await });
    lab.gauge.until_begun(1).await;
    let half_sent = start(&client, |client| async move { client.take(large()).await });
    soon(sent.until_full()).await;
    // A further one waits whole behind it, with a small one.
    let queued = start(&client, |client| async move { client.take(large()).await });
    let small = start(&client, |client| async move { client.hold().await });
    tokio::task::yield_now().await;
    for call in [half_sent, queued] {
        call.abort();
        assert!(soon(call).await.unwrap_err().is_cancelled());
    }
    small.abort();
    assert!(soon(small).await.unwrap_err().is_cancelled());
    lab.gauge.unblock();
    assert_eq!(soon(blocked).await.unwrap(), Ok(42));
    all_is_well(&client, &lab.gauge, FEW as usize).await;
    assert_eq!(client.take(large()).await.unwrap(), 4 << 20);
}

#[tokio::test]
async fn a_call_dropped_while_its_body_waits_for_the_window_gives_its_place_up() {
    let lab = serve_with("cancel-window", |server| {
        server.max_calls(FEW).window(100_000).max_running(1)
    });
    let client = lab.client().await;
    let held = start(&client, |client| async move { client.hold().await });
    lab.gauge.until_running(1).await;
    // Its body is charged, and it waits behind the one that runs.
    let first = start(&client, |client| async move { client.take(large()).await });
    for _ in 0..100 {
        assert_eq!(drop_at_poll(2, client.take(large())).await, None);
    }
    lab.gauge.release();
    assert_eq!(soon(held).await.unwrap(), Ok(42));
    assert_eq!(soon(first).await.unwrap(), Ok(4 << 20));
    for _ in 0..3 {
        assert_eq!(soon(client.take(large())).await.unwrap(), 4 << 20);
    }
}

#[tokio::test]
async fn a_call_may_be_dropped_while_its_large_response_arrives() {
    let lab = serve_few("cancel-response", FEW);
    let client = lab.client().await;
    for polls in 1..60 {
        drop_at_poll(polls, client.give(4 << 20))
            .await
            .map(Result::unwrap);
        assert_eq!(soon(client.echo("between".into())).await.unwrap(), "between");
    }
    all_is_well(&client, &lab.gauge, FEW as usize).await;
    assert_eq!(soon(client.give(4 << 20)).await.unwrap().len(), 4 << 20);
}

/// Drops a call at its n-th poll for every n until it ends before that, `rounds` times, and more beside it.
async fn drop_at_every_poll<F: Future>(call: impl Fn() -> F, rounds: usize) {
    for _ in 0..rounds {
        for polls in 1.. {
            let beside = drop_at_poll(polls / 2 + 1, call());
            let (ended, _) = tokio::join!(drop_at_poll(polls, call()), beside);
            if ended.is_some() || polls > 400 {
                break;
            }
        }
    }
}

async fn drop_everything_everywhere(lab: support::lab::Served, rounds: usize) {
    let client = lab.client().await;
    lab.gauge.release();
    soon(async {
        drop_at_every_poll(|| client.echo("small".into()), rounds).await;
        drop_at_every_poll(|| client.take(large()), rounds).await;
        drop_at_every_poll(|| client.give(1 << 20), rounds).await;
        drop_at_every_poll(|| client.hold(), rounds).await;
        drop_at_every_poll(|| client.touch(), rounds).await;
        drop_at_every_poll(|| client.touch_bytes(large()), rounds).await;
    })
    .await;
    all_is_well(&client, &lab.gauge, FEW as usize).await;
    assert_eq!(soon(client.take(large())).await.unwrap(), 4 << 20);
}

#[tokio::test]
async fn a_call_may_be_dropped_at_any_poll() {
    drop_everything_everywhere(serve_few("cancel-polls", FEW), 2).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn a_call_may_be_dropped_at_any_poll_while_other_threads_drive() {
    drop_everything_everywhere(serve_few("cancel-polls-threads", FEW), 4).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn callers_that_give_up_all_the_time_do_not_disturb_the_patient() {
    let lab = serve_few("cancel-storm", FEW);
    let client = lab.client().await;
    let impatient: Vec<_> = (0..8)
        .map(|caller| {
            let client = client.clone();
            tokio::spawn(async move {
                for round in 0..200_u64 {
                    let limit = Duration::from_micros(37 * ((caller + round) % 40));
                    let _ = tokio::time::timeout(limit, client.take(vec![7; 100_000].into())).await;
                }
            })
        })
        .collect();
    for round in 0..300 {
        assert_eq!(
            soon(client.echo(round.to_string())).await.unwrap(),
            round.to_string()
        );
    }
    for caller in impatient {
        soon(caller).await.unwrap();
    }
    all_is_well(&client, &lab.gauge, FEW as usize).await;
}
