//! Futures dropped at any of their polls lose, tear and double nothing.
#![allow(clippy::unwrap_used)] // helpers of tests are not seen as tests

mod support;

use pipe_rpc_transport::{Pipe, PipeServer};
use support::{connect, drop_at_poll, number_of, numbered, on_each_transport, pair, server, unique_name};
use tokio::task::JoinSet;

const PACKETS: u32 = 300;

#[test]
fn a_receive_dropped_at_any_poll_loses_nothing() {
    on_each_transport(async |framing| {
        for polls in 1..=4 {
            let (mut client, mut served) = pair(framing).await;
            let send = tokio::spawn(async move {
                for number in 0..PACKETS {
                    client.send(&numbered(number, 20_000)).await.unwrap();
                }
                client
            });
            let mut expected = 0;
            while expected < PACKETS {
                match drop_at_poll(polls, served.recv()).await {
                    Some(received) => {
                        assert_eq!(number_of(&received.unwrap().unwrap()), expected);
                        expected += 1;
                    }
                    None => tokio::task::yield_now().await,
                }
            }
            send.await.unwrap();
        }
    });
}

#[test]
fn a_send_dropped_at_any_poll_sends_the_packet_whole_or_not_at_all() {
    on_each_transport(async |framing| {
        for polls in 1..=4 {
            let (mut client, mut served) = pair(framing).await;
            let receive = tokio::spawn(async move {
                let mut received = Vec::new();
                while let Some(packet) = served.recv().await.unwrap() {
                    assert_eq!(packet.len(), 60_000);
                    received.push(number_of(&packet));
                    tokio::task::yield_now().await;
                }
                received
            });
            let mut completed = Vec::new();
            for number in 0..PACKETS {
                match drop_at_poll(polls, client.send(&numbered(number, 60_000))).await {
                    Some(sent) => {
                        sent.unwrap();
                        completed.push(number);
                    }
                    None => tokio::task::yield_now().await,
                }
            }
            // What was taken and not finished is finished though nobody asks.
            client.send(&numbered(PACKETS, 60_000)).await.unwrap();
            drop(client);
            let received = receive.await.unwrap();
            assert!(
                received.is_sorted_by(|one, next| one < next),
                "doubled or out of order"
            );
            assert_eq!(received.last(), Some(&PACKETS));
            assert!(
                completed
                    .iter()
                    .all(|number| received.binary_search(number).is_ok())
            );
        }
    });
}

#[test]
fn a_packet_taken_in_part_is_finished_though_the_sender_is_dropped() {
    on_each_transport(async |framing| {
        for _ in 0..20 {
            let (mut client, mut served) = pair(framing).await;
            let mut sent = 0;
            while drop_at_poll(1, client.send(&numbered(sent, 60_000)))
                .await
                .is_some()
            {
                sent += 1;
            }
            drop(client);
            let mut received = 0;
            while let Some(packet) = served.recv().await.unwrap() {
                assert_eq!(number_of(&packet), received);
                received += 1;
            }
            assert!(
                received == sent || received == sent + 1,
                "{sent} sent, {received} received"
            );
        }
    });
}

#[test]
fn an_accept_dropped_at_any_poll_loses_no_client() {
    const CLIENTS: u32 = 100;
    on_each_transport(async |framing| {
        for polls in 1..=3 {
            let (mut server, name) = server(framing);
            let mut clients = JoinSet::new();
            for number in 0..CLIENTS {
                let name = name.clone();
                clients.spawn(async move {
                    let mut client = connect(&name, framing).await;
                    client.send(&numbered(number, 4)).await.unwrap();
                    client
                });
            }
            let mut seen = Vec::new();
            while seen.len() < CLIENTS as usize {
                match drop_at_poll(polls, server.accept()).await {
                    Some(served) => {
                        let packet = served.unwrap().recv().await.unwrap().unwrap();
                        seen.push(number_of(&packet));
                    }
                    None => tokio::task::yield_now().await,
                }
            }
            seen.sort_unstable();
            assert!(seen.into_iter().eq(0..CLIENTS));
            while let Some(client) = clients.join_next().await {
                client.unwrap();
            }
        }
    });
}

#[test]
fn a_connect_dropped_at_any_poll_leaves_the_server_whole() {
    on_each_transport(async |framing| {
        for polls in 1..=5 {
            let name = unique_name();
            let connecting = || {
                Pipe::builder(&name)
                    .framing(framing)
                    .wait_for_server(true)
                    .connect()
            };
            assert!(
                drop_at_poll(polls, connecting()).await.is_none(),
                "no server is there"
            );
            let mut server = PipeServer::builder(&name).framing(framing).bind().unwrap();
            let mut left = 0;
            for _ in 0..20 {
                left += usize::from(drop_at_poll(polls, connecting()).await.is_some());
            }
            let mut good = connect(&name, framing).await;
            good.send(b"good").await.unwrap();
            for _ in 0..left {
                let mut gone = server.accept().await.unwrap();
                assert!(gone.recv().await.unwrap().is_none());
            }
            let mut served = server.accept().await.unwrap();
            while served.recv().await.unwrap().as_deref() != Some(b"good") {
                served = server.accept().await.unwrap();
            }
        }
    });
}
