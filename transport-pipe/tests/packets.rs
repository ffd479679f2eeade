//! Packets arrive whole, in order and once, whatever their size and whoever pauses.
#![allow(clippy::unwrap_used)] // helpers of tests are not seen as tests

mod support;

use std::future::poll_fn;
use std::io::ErrorKind;

use pipe_rpc_transport::{Framing, MAX_PACKET, Pipe, PipeServer};
use rpc_core::transport::{Landing, PacketReceiver as _};
use support::{Dice, connect, number_of, numbered, on_each_transport, pair, unique_name};

const LARGE: usize = 65_536;

#[test]
fn packets_of_every_size_arrive_whole() {
    on_each_transport(async |framing| {
        let (mut client, mut served) = pair(framing).await;
        for len in [1, 2, 4095, 4096, 4097, 65_535, 65_536, served.max_packet()] {
            let packet: Vec<u8> = (0..len).map(|at| (at * 7) as u8).collect();
            client.send(&packet).await.unwrap();
            assert_eq!(&*served.recv().await.unwrap().unwrap(), packet, "{len} bytes");
            served.send(&packet).await.unwrap();
            assert_eq!(
                &*client.recv().await.unwrap().unwrap(),
                packet,
                "{len} bytes back"
            );
        }
    });
}

#[test]
fn the_largest_limit_is_carried() {
    on_each_transport(async |framing| {
        let name = unique_name();
        let builder = PipeServer::builder(&name).framing(framing).max_packet(MAX_PACKET);
        let mut server = builder.bind().unwrap();
        let builder = Pipe::builder(&name).framing(framing).max_packet(MAX_PACKET);
        let mut client = builder.connect().await.unwrap();
        let mut served = server.accept().await.unwrap();
        assert_eq!(
            (client.max_packet(), served.max_packet()),
            (MAX_PACKET, MAX_PACKET)
        );
        for number in 0..20 {
            let packet = numbered(number, MAX_PACKET);
            let (sent, received) = tokio::join!(client.send(&packet), served.recv());
            sent.unwrap();
            assert_eq!(number_of(&received.unwrap().unwrap()), number);
        }
        assert_eq!(
            client.send(&vec![0; MAX_PACKET + 1]).await.unwrap_err().kind(),
            ErrorKind::InvalidInput
        );
    });
}

#[test]
fn a_packet_over_the_limit_or_empty_is_refused_and_the_pipe_lives() {
    on_each_transport(async |framing| {
        let (mut client, mut served) = pair(framing).await;
        let limit = client.max_packet();
        let error = client.send(&vec![0; limit + 1]).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidInput);
        assert_eq!(
            error.to_string(),
            format!("a packet on this pipe has 1 to {limit} bytes, not {}", limit + 1)
        );
        assert_eq!(
            client.send(b"").await.unwrap_err().kind(),
            ErrorKind::InvalidInput
        );
        client.send(b"still here").await.unwrap();
        assert_eq!(&*served.recv().await.unwrap().unwrap(), b"still here");
    });
}

#[test]
fn boundaries_are_kept_when_many_packets_wait() {
    on_each_transport(async |framing| {
        let (mut client, mut served) = pair(framing).await;
        for number in 0..50 {
            client
                .send(&numbered(number, 4 + number as usize * 13))
                .await
                .unwrap();
        }
        for number in 0..50 {
            let packet = served.recv().await.unwrap().unwrap();
            assert_eq!(packet.len(), 4 + number as usize * 13);
            assert_eq!(number_of(&packet), number);
        }
    });
}

#[test]
fn both_sides_may_write_far_more_than_the_buffers_hold_at_once() {
    const PACKETS: u32 = 200;
    on_each_transport(async |framing| {
        let (mut client, mut served) = pair(framing).await;
        let exchange = async |pipe: &mut Pipe| {
            let (sender, receiver) = pipe.split();
            let send = async {
                for number in 0..PACKETS {
                    sender.send(&numbered(number, LARGE)).await.unwrap();
                }
            };
            let receive = async {
                for number in 0..PACKETS {
                    assert_eq!(number_of(&receiver.recv().await.unwrap().unwrap()), number);
                }
            };
            tokio::join!(send, receive);
        };
        tokio::join!(exchange(&mut client), exchange(&mut served));
    });
}

/// The test by which CPython found that pausing a reader lost data (bpo-33694).
#[test]
fn not_a_byte_is_lost_while_the_reader_pauses_and_resumes_all_the_time() {
    const PACKETS: u32 = 2_000;
    on_each_transport(async |framing| {
        let (client, mut served) = pair(framing).await;
        let echo = tokio::spawn(async move {
            while let Some(packet) = served.recv().await.unwrap() {
                served.send(&packet).await.unwrap();
            }
        });
        let (mut sender, mut receiver) = client.into_split();
        let closer = sender.closer();
        let send = tokio::spawn(async move {
            for number in 0..PACKETS {
                sender.send(&numbered(number, 16_384)).await.unwrap();
            }
            sender
        });
        let mut dice = Dice(0x5eed);
        for number in 0..PACKETS {
            for _ in 0..dice.below(20) {
                tokio::task::yield_now().await;
            }
            let packet = loop {
                // Pausing: the receive is dropped where it stands, and begun again later.
                match support::drop_at_poll(1 + dice.below(3) as usize, receiver.recv()).await {
                    Some(received) => break received.unwrap().unwrap(),
                    None => tokio::task::yield_now().await,
                }
            };
            assert_eq!((number_of(&packet), packet.len()), (number, 16_384));
        }
        let _sender = send.await.unwrap();
        closer.close();
        echo.await.unwrap();
    });
}

#[test]
fn a_pipe_may_be_used_from_a_current_thread_runtime() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        for framing in support::framings() {
            let (mut server, name) = support::server(*framing);
            let mut client = connect(&name, *framing).await;
            let mut served = server.accept().await.unwrap();
            for number in 0..100 {
                let packet = numbered(number, LARGE);
                let (sent, received) = tokio::join!(client.send(&packet), served.recv());
                sent.unwrap();
                assert_eq!(number_of(&received.unwrap().unwrap()), number);
            }
        }
    });
}

#[test]
fn what_lands_and_what_does_not_are_the_packet() {
    on_each_transport(async |framing| {
        let (mut client, served) = pair(framing).await;
        let (_sender, mut receiver) = served.into_split();
        for (len, room) in [1_usize, 15, 16, 17, 99, 100, 101, 4096, 65_536]
            .into_iter()
            .flat_map(|len| [(len, 1), (len, 84), (len, 65_520)])
        {
            let sent: Vec<u8> = (0..len).map(|at| (at * 7) as u8).collect();
            client.send(&sent).await.unwrap();
            let mut landing = Landing::new(b"before".to_vec(), 16, room);
            let received = poll_fn(|cx| receiver.poll_recv_landing(cx, &mut landing)).await;
            let mut packet = received.unwrap().unwrap();
            if cfg!(target_os = "linux") && framing == Framing::default() {
                let part = len.saturating_sub(16);
                assert_eq!(landing.landed(), part.min(room), "{len} bytes");
            }
            let landed = landing.landed();
            assert_eq!(landing.bytes_mut()[6..], sent[sent.len().min(16)..][..landed]);
            landing.put_back(0, &mut packet);
            assert_eq!(*packet, sent, "{len} bytes, room for {room}");
            assert_eq!(*landing.bytes_mut(), b"before");
        }
        drop(client);
        let mut landing = Landing::new(Vec::new(), 16, 100);
        let end = poll_fn(|cx| receiver.poll_recv_landing(cx, &mut landing)).await;
        assert!(end.unwrap().is_none());
    });
}

#[test]
fn a_packet_over_the_limit_ends_the_pipe_although_it_could_land() {
    on_each_transport(async |framing| {
        let name = unique_name();
        let mut server = PipeServer::builder(&name)
            .framing(framing)
            .max_packet(4096)
            .bind()
            .unwrap();
        let connect = Pipe::builder(&name).framing(framing).connect();
        let (client, served) = tokio::join!(connect, server.accept());
        let (_sender, mut receiver) = served.unwrap().into_split();
        client.unwrap().send(&[7; 5000]).await.unwrap();
        let mut landing = Landing::new(Vec::new(), 16, 4080);
        let received = poll_fn(|cx| receiver.poll_recv_landing(cx, &mut landing)).await;
        assert_eq!(received.unwrap_err().kind(), ErrorKind::InvalidData);
    });
}
