//! Packets over named pipes: whole, in order, of any size up to the limit.
#![cfg(windows)]
#![allow(clippy::unwrap_used)] // in helpers of tests, too

use std::fs::{File, OpenOptions};
use std::io::{ErrorKind, Read, Write};
use std::time::Duration;

use pipe_rpc_transport::{MAX_PACKET, Pipe, PipeServer};
use tokio::time::timeout;

/// A server of a name of its own, and the name.
fn server(test: &str, max_packet: usize) -> PipeServer {
    let name = format!("{test}-{}", std::process::id());
    PipeServer::builder(name).max_packet(max_packet).bind().unwrap()
}

async fn connected(test: &str, max_packet: usize) -> (Pipe, Pipe) {
    let mut server = server(test, max_packet);
    let connect = Pipe::builder(server.local_name())
        .max_packet(max_packet)
        .connect();
    let (client, served) = tokio::join!(connect, server.accept());
    (client.unwrap(), served.unwrap())
}

/// A client that writes what this crate's never would.
async fn rude_client(server: &mut PipeServer) -> (File, Pipe) {
    let file = OpenOptions::new()
        .read(true)
        .write(true)
        .open(server.local_name())
        .unwrap();
    (file, server.accept().await.unwrap())
}

fn packet(len: usize) -> Vec<u8> {
    (0..len).map(|index| (index * 31 + len) as u8).collect()
}

#[tokio::test]
async fn packets_of_every_size_arrive_whole() {
    let (mut client, mut served) = connected("every-size", MAX_PACKET).await;
    for len in [
        1,
        2,
        4095,
        4096,
        4097,
        8192,
        65535,
        65536,
        65537,
        131_072,
        MAX_PACKET - 1,
        MAX_PACKET,
    ] {
        let sent = packet(len);
        let (there, arrived) = tokio::join!(client.send(&sent), served.recv());
        there.unwrap();
        assert_eq!(&*arrived.unwrap().unwrap(), sent, "{len} bytes to the server");
        let (back, arrived) = tokio::join!(served.send(&sent), client.recv());
        back.unwrap();
        assert_eq!(&*arrived.unwrap().unwrap(), sent, "{len} bytes to the client");
    }
}

#[tokio::test]
async fn packets_that_wait_keep_their_boundaries() {
    let (mut client, mut served) = connected("boundaries", 65536).await;
    let lens = [1, 4096, 2, 4097, 3, 30_000, 4, 5000];
    for len in lens {
        client.send(&packet(len)).await.unwrap();
    }
    for len in lens {
        assert_eq!(&*served.recv().await.unwrap().unwrap(), packet(len));
    }
}

#[tokio::test]
async fn a_packet_over_the_limit_is_refused_and_the_pipe_lives() {
    let (mut client, mut served) = connected("refused", 5000).await;
    for len in [0, 5001] {
        let error = client.send(&packet(len)).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidInput, "{error}");
    }
    client.send(&packet(5000)).await.unwrap();
    assert_eq!(&*served.recv().await.unwrap().unwrap(), packet(5000));
}

#[tokio::test]
async fn a_peers_packet_over_the_limit_ends_the_pipe() {
    for limit in [100, 4096, 5000, 65536] {
        let mut server = server(&format!("oversized-{limit}"), limit);
        let mut client = Pipe::builder(server.local_name())
            .max_packet(MAX_PACKET)
            .connect()
            .await
            .unwrap();
        let mut served = server.accept().await.unwrap();
        client.send(&packet(limit)).await.unwrap();
        assert_eq!(served.recv().await.unwrap().unwrap().len(), limit);
        client.send(&packet(limit + 1)).await.unwrap();
        assert_eq!(served.recv().await.unwrap_err().kind(), ErrorKind::InvalidData);
        assert_eq!(
            served.recv().await.unwrap_err().kind(),
            ErrorKind::InvalidData,
            "it is told again"
        );
    }
}

#[tokio::test]
async fn a_packet_of_no_bytes_is_an_error_and_not_the_end() {
    let mut server = server("no-bytes", 65536);
    let (mut file, mut served) = rude_client(&mut server).await;
    file.write_all(b"before").unwrap();
    assert_eq!(file.write(b"").unwrap(), 0);
    assert_eq!(&*served.recv().await.unwrap().unwrap(), b"before");
    assert_eq!(served.recv().await.unwrap_err().kind(), ErrorKind::InvalidData);
}

#[tokio::test]
async fn what_was_written_is_readable_after_its_writer_closed() {
    for len in [1, 5000, 65536] {
        let (mut client, mut served) = connected(&format!("closed-{len}"), 65536).await;
        client.send(&packet(len)).await.unwrap();
        drop(client);
        assert_eq!(&*served.recv().await.unwrap().unwrap(), packet(len));
        assert!(served.recv().await.unwrap().is_none());
        assert!(served.recv().await.unwrap().is_none(), "the end stays");
        assert_eq!(served.send(b"x").await.unwrap_err().kind(), ErrorKind::BrokenPipe);
    }
}

#[tokio::test]
async fn what_a_server_wrote_is_readable_after_it_closed() {
    let (mut client, mut served) = connected("server-closed", 65536).await;
    served.send(&packet(65536)).await.unwrap();
    served.close();
    drop(served);
    assert_eq!(&*client.recv().await.unwrap().unwrap(), packet(65536));
    assert!(client.recv().await.unwrap().is_none());
}

#[tokio::test]
async fn a_reader_that_gives_up_and_comes_back_loses_nothing() {
    let (client, served) = connected("giving-up", 65536).await;
    let (mut echo_out, mut echo_in) = served.into_split();
    tokio::spawn(async move {
        while let Some(packet) = echo_in.recv().await.unwrap() {
            echo_out.send(&packet).await.unwrap();
        }
    });
    let (mut out, mut back) = client.into_split();
    let sending = tokio::spawn(async move {
        for number in 0..2000_u32 {
            let mut packet = packet(16 * 1024);
            packet[..4].copy_from_slice(&number.to_le_bytes());
            out.send(&packet).await.unwrap();
        }
        out
    });
    for number in 0..2000_u32 {
        // Every other attempt is dropped at its first await.
        let packet = loop {
            if let Ok(packet) = timeout(Duration::ZERO, back.recv()).await {
                break packet;
            }
            tokio::task::yield_now().await;
        };
        let packet = packet.unwrap().unwrap();
        assert_eq!(packet.len(), 16 * 1024);
        assert_eq!(packet[..4], number.to_le_bytes());
    }
    drop(sending.await.unwrap());
}

#[tokio::test]
async fn both_ends_may_write_first() {
    let (client, served) = connected("both-first", 65536).await;
    let run = |pipe: Pipe| {
        let (mut sender, mut receiver) = pipe.into_split();
        let sending = async move {
            for _ in 0..50 {
                sender.send(&packet(65536)).await.unwrap();
            }
            sender
        };
        let receiving = async move {
            for _ in 0..50 {
                assert_eq!(receiver.recv().await.unwrap().unwrap().len(), 65536);
            }
            receiver
        };
        async move { tokio::join!(sending, receiving) }
    };
    let (_one, _other) = tokio::join!(run(client), run(served));
}

#[tokio::test]
async fn a_writer_waits_for_its_reader_and_goes_on() {
    let (mut client, mut served) = connected("quota", 65536).await;
    let writing = tokio::spawn(async move {
        for number in 0..40_u8 {
            client.send(&[number; 65536]).await.unwrap();
        }
    });
    for number in 0..40_u8 {
        let packet = served.recv().await.unwrap().unwrap();
        assert!(packet.len() == 65536 && packet.iter().all(|byte| *byte == number));
    }
    writing.await.unwrap();
}

#[tokio::test]
async fn a_pipe_outlives_the_runtime_it_was_made_in() {
    let made = std::thread::spawn(|| {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        runtime.block_on(connected("outlives", 65536))
    });
    let (mut client, mut served) = made.join().unwrap();
    let (sent, received) = tokio::join!(client.send(b"still there"), served.recv());
    sent.unwrap();
    assert_eq!(&*received.unwrap().unwrap(), b"still there");
}

#[tokio::test]
async fn a_pipe_handed_over_brings_what_was_read_and_goes_on() {
    for pending in [false, true] {
        let (mut client, mut served) = connected(&format!("handed-over-{pending}"), 65536).await;
        if pending {
            assert!(
                timeout(Duration::ZERO, served.recv()).await.is_err(),
                "the pipe is empty"
            );
        }
        client.send(b"first").await.unwrap();
        let parts = served.into_parts().await.unwrap();
        let read: Vec<_> = parts.packets.iter().map(|packet| packet.to_vec()).collect();
        assert!(parts.partial.is_empty());
        assert_eq!(
            read,
            if pending {
                vec![b"first".to_vec()]
            } else {
                Vec::new()
            }
        );
        // Messages that wait are read at once, whoever reads.
        let mut file = File::from(parts.handle);
        client.send(b"second").await.unwrap();
        let mut bytes = [0; 16];
        if !pending {
            assert_eq!(file.read(&mut bytes).unwrap(), 5);
        }
        assert_eq!(file.read(&mut bytes).unwrap(), 6);
        assert_eq!(bytes[..6], *b"second");
        file.write_all(b"answer").unwrap();
        assert_eq!(&*client.recv().await.unwrap().unwrap(), b"answer");
        drop(file);
        assert!(
            client.recv().await.unwrap().is_none(),
            "nobody else keeps it open"
        );
    }
}
