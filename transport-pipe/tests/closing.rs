//! Data comes first, then the end; the end is told once, and closing is safe from anywhere.
#![allow(clippy::unwrap_used)] // helpers of tests are not seen as tests

mod support;

use std::sync::{Arc, Barrier};

use support::{child, connect, framing_of, on_each_transport, pair, role, role_text, server};

#[test]
fn a_packet_sent_just_before_the_sender_exits_is_read() {
    const TEST: &str = "a_packet_sent_just_before_the_sender_exits_is_read";
    if let Some((role, name)) = role() {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        runtime.block_on(async {
            let mut pipe = connect(&name, framing_of(&role)).await;
            pipe.send(b"last").await.unwrap();
            pipe.send(b"words").await.unwrap();
            std::process::exit(0);
        });
    }
    on_each_transport(async |framing| {
        let (mut server, name) = server(framing);
        let mut child = child(TEST, role_text(framing), &name).spawn().unwrap();
        let mut served = server.accept().await.unwrap();
        let status = tokio::task::spawn_blocking(move || child.wait())
            .await
            .unwrap()
            .unwrap();
        assert!(status.success());
        assert_eq!(&*served.recv().await.unwrap().unwrap(), b"last");
        assert_eq!(&*served.recv().await.unwrap().unwrap(), b"words");
        assert!(served.recv().await.unwrap().is_none());
    });
}

#[test]
fn a_peer_that_closed_with_our_data_unread_still_gives_us_its_own() {
    on_each_transport(async |framing| {
        let (mut client, mut served) = pair(framing).await;
        for _ in 0..3 {
            client.send(b"never read").await.unwrap();
        }
        served.send(b"one").await.unwrap();
        served.send(b"two").await.unwrap();
        drop(served);
        assert_eq!(&*client.recv().await.unwrap().unwrap(), b"one");
        assert_eq!(&*client.recv().await.unwrap().unwrap(), b"two");
        assert!(client.recv().await.unwrap().is_none());
        assert!(client.recv().await.unwrap().is_none(), "the end stays");
        assert!(client.send(b"too late").await.is_err());
    });
}

#[test]
fn what_was_sent_before_a_close_is_read_after_it() {
    on_each_transport(async |framing| {
        let (mut client, mut served) = pair(framing).await;
        client.send(b"goodbye").await.unwrap();
        client.close();
        assert_eq!(&*served.recv().await.unwrap().unwrap(), b"goodbye");
        assert!(served.recv().await.unwrap().is_none());
    });
}

#[test]
fn closing_from_many_threads_at_once_closes_once() {
    const THREADS: usize = 8;
    on_each_transport(async |framing| {
        let (mut server, name) = server(framing);
        let mut client = connect(&name, framing).await;
        let mut served = server.accept().await.unwrap();
        assert_eq!(server.connected(), 1);
        let barrier = Arc::new(Barrier::new(THREADS));
        let closers: Vec<_> = (0..THREADS)
            .map(|_| {
                let (closer, barrier) = (served.closer(), Arc::clone(&barrier));
                std::thread::spawn(move || {
                    barrier.wait();
                    closer.close();
                    closer.close();
                })
            })
            .collect();
        assert!(served.recv().await.unwrap().is_none(), "a receive under way ends");
        closers.into_iter().for_each(|closer| closer.join().unwrap());
        assert!(served.send(b"closed").await.is_err());
        assert!(client.recv().await.unwrap().is_none());
        let closer = served.closer();
        drop(served);
        closer.close();
        while server.connected() != 0 {
            tokio::task::yield_now().await;
        }
    });
}

#[test]
fn a_close_ends_a_send_that_waits() {
    on_each_transport(async |framing| {
        let (mut client, _served) = pair(framing).await;
        let closer = client.closer();
        let send = tokio::spawn(async move {
            let packet = vec![1; 65_536];
            loop {
                if let Err(error) = client.send(&packet).await {
                    return error;
                }
            }
        });
        tokio::task::yield_now().await;
        closer.close();
        assert_eq!(send.await.unwrap().kind(), std::io::ErrorKind::BrokenPipe);
    });
}

#[test]
fn a_send_that_waits_ends_when_the_peer_leaves() {
    on_each_transport(async |framing| {
        let (mut client, served) = pair(framing).await;
        let packet = vec![1; 65_536];
        while support::drop_at_poll(1, client.send(&packet)).await.is_some() {}
        let send = tokio::spawn(async move {
            loop {
                if let Err(error) = client.send(&packet).await {
                    return error;
                }
            }
        });
        drop(served);
        send.await.unwrap();
    });
}

#[test]
fn the_halves_close_the_pipe_when_both_are_gone() {
    on_each_transport(async |framing| {
        let (client, mut served) = pair(framing).await;
        let (mut sender, receiver) = client.into_split();
        drop(receiver);
        sender.send(b"half a pipe").await.unwrap();
        assert_eq!(&*served.recv().await.unwrap().unwrap(), b"half a pipe");
        drop(sender);
        assert!(served.recv().await.unwrap().is_none());
    });
}
