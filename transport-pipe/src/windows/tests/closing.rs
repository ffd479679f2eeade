//! Closing races with everything, and every operation still comes back.

use std::future::poll_fn;
use std::io::{ErrorKind, IoSlice};
use std::sync::{Arc, Weak};
use std::thread;
use std::time::{Duration, Instant};

use rpc_core::transport::{Link, PeerIdentity};

use super::ends;
use crate::windows::engine::LINGER;
use crate::windows::file_unsafe::File;
use crate::windows::link::link;

const MAX_PACKET: usize = 64 * 1024;

fn linked(file: Arc<File>) -> Link {
    link(file, PeerIdentity::in_process(), MAX_PACKET, None)
}

/// Both ends, and weak references to their files.
fn links() -> (Link, Link, Weak<File>, Weak<File>) {
    let (server, client) = ends();
    let weak = (Arc::downgrade(&server), Arc::downgrade(&client));
    (linked(server), linked(client), weak.0, weak.1)
}

/// Waits for what the engine's thread does next. The limit is there to fail, and never reached.
fn wait_until_closed(file: &Weak<File>, limit: Duration) {
    let begun = Instant::now();
    while file.strong_count() > 0 {
        assert!(begun.elapsed() < limit, "the handle is still open");
        thread::yield_now();
    }
}

fn fill(link: &Link) {
    let packet = vec![3; MAX_PACKET];
    loop {
        match link.sender.try_send(&[IoSlice::new(&packet)]) {
            Ok(()) => {}
            Err(error) => return assert_eq!(error.kind(), ErrorKind::WouldBlock),
        }
    }
}

#[tokio::test]
async fn a_close_while_a_read_is_pending_ends_it_and_closes_the_handle() {
    for _ in 0..300 {
        let (server, mut client, _, file) = links();
        let sender = client.sender;
        let closing = thread::spawn(move || sender.close());
        let told = poll_fn(|cx| client.receiver.poll_recv(cx)).await;
        assert!(told.unwrap().is_none());
        closing.join().unwrap();
        wait_until_closed(&file, LINGER);
        drop(server);
    }
}

#[tokio::test]
async fn a_close_while_a_write_is_pending_ends_it_and_closes_the_handle() {
    for _ in 0..300 {
        let (server, client, _, file) = links();
        fill(&client);
        let flushed = poll_fn(|cx| {
            let flushed = client.sender.poll_flush(cx);
            client.sender.close();
            flushed
        });
        assert_eq!(flushed.await.unwrap_err().kind(), ErrorKind::BrokenPipe);
        wait_until_closed(&file, LINGER);
        drop(server);
    }
}

#[test]
fn a_dropped_pipe_with_a_packet_under_way_stays_open_until_the_peer_took_it() {
    let (mut server, client, _, file) = links();
    fill(&client);
    drop(client);
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let mut packets = 0;
    while let Some(packet) = runtime
        .block_on(poll_fn(|cx| server.receiver.poll_recv(cx)))
        .unwrap()
    {
        assert_eq!(packet.len(), MAX_PACKET);
        packets += 1;
    }
    assert!(packets > 1, "{packets}");
    wait_until_closed(&file, LINGER);
}

#[test]
fn a_dropped_pipe_whose_peer_never_reads_is_closed_in_the_end() {
    let (server, client, _, file) = links();
    fill(&client);
    drop(client);
    assert!(file.strong_count() > 0, "the packet has some time");
    wait_until_closed(&file, LINGER * 3);
    drop(server);
}

#[tokio::test]
async fn a_pipe_closed_by_many_threads_is_closed_once() {
    for _ in 0..200 {
        let (mut server, client, _, file) = links();
        let sender: Arc<dyn rpc_core::transport::PacketSender> = Arc::from(client.sender);
        let closers: Vec<_> = (0..4)
            .map(|_| {
                let sender = Arc::clone(&sender);
                thread::spawn(move || sender.close())
            })
            .collect();
        closers.into_iter().for_each(|closer| closer.join().unwrap());
        wait_until_closed(&file, LINGER);
        assert!(
            poll_fn(|cx| server.receiver.poll_recv(cx))
                .await
                .unwrap()
                .is_none()
        );
        assert_eq!(
            sender.try_send(&[IoSlice::new(b"x")]).unwrap_err().kind(),
            ErrorKind::BrokenPipe
        );
    }
}

#[tokio::test]
async fn a_receiver_dropped_while_it_reads_leaves_the_sender_alone() {
    for _ in 0..200 {
        let (mut server, mut client, _, _) = links();
        let nothing = poll_fn(|cx| std::task::Poll::Ready(client.receiver.poll_recv(cx).is_pending())).await;
        assert!(nothing);
        drop(client.receiver);
        client.sender.try_send(&[IoSlice::new(b"still here")]).unwrap();
        let packet = poll_fn(|cx| server.receiver.poll_recv(cx))
            .await
            .unwrap()
            .unwrap();
        assert_eq!(&*packet, b"still here");
    }
}
