//! A server survives its clients, takes bursts, and has its name for itself.
#![allow(clippy::unwrap_used)] // helpers of tests are not seen as tests

mod support;

use std::io::ErrorKind;
use std::time::Duration;

use pipe_rpc_transport::{BindError, ConnectError, Obstacle, Pipe, PipeServer};
use support::{HANG, connect, on_each_transport, server, unique_name};
use tokio::task::JoinSet;

/// Serves every client: answers each packet with the same.
async fn echo(mut server: PipeServer) {
    loop {
        let mut served = server.accept().await.unwrap();
        tokio::spawn(async move {
            while let Ok(Some(packet)) = served.recv().await {
                let _ = served.send(&packet).await;
            }
        });
    }
}

#[test]
fn a_good_client_is_served_after_a_thousand_that_came_and_left() {
    on_each_transport(async |framing| {
        let (server, name) = server(framing);
        let serving = tokio::spawn(echo(server));
        for number in 0..1_000 {
            let mut client = connect(&name, framing).await;
            if number % 2 == 0 {
                client.send(b"written and left").await.unwrap();
            }
        }
        let mut good = connect(&name, framing).await;
        good.send(b"hello").await.unwrap();
        assert_eq!(&*good.recv().await.unwrap().unwrap(), b"hello");
        serving.abort();
    });
}

#[test]
fn clients_that_left_before_they_were_taken_are_handed_out_with_what_they_wrote() {
    on_each_transport(async |framing| {
        let (mut server, name) = server(framing);
        for number in 0..3_u8 {
            connect(&name, framing).await.send(&[number]).await.unwrap();
        }
        for number in 0..3_u8 {
            let mut served = server.accept().await.unwrap();
            assert_eq!(&*served.recv().await.unwrap().unwrap(), [number]);
            assert!(served.recv().await.unwrap().is_none());
        }
    });
}

#[test]
fn a_burst_of_200_clients_on_4_spare_instances_is_served_whole() {
    on_each_transport(async |framing| {
        let (server, name) = server(framing);
        let serving = tokio::spawn(echo(server));
        let mut clients = JoinSet::new();
        for number in 0..200_u32 {
            let name = name.clone();
            clients.spawn(async move {
                let mut client = connect(&name, framing).await;
                client.send(&number.to_le_bytes()).await.unwrap();
                assert_eq!(&*client.recv().await.unwrap().unwrap(), number.to_le_bytes());
            });
        }
        while let Some(client) = clients.join_next().await {
            client.unwrap();
        }
        serving.abort();
    });
}

#[test]
fn a_second_server_on_a_name_is_told_that_it_is_taken() {
    if support::skipped_on_wine("FILE_FLAG_FIRST_PIPE_INSTANCE is ignored") {
        return;
    }
    on_each_transport(async |framing| {
        let (first, name) = server(framing);
        let error = PipeServer::bind(&name).unwrap_err();
        assert!(
            matches!(&error, BindError::NameTaken { name } if name == first.local_name()),
            "{error}"
        );
        assert!(error.to_string().contains("another server listens on"), "{error}");
        connect(&name, framing).await;
    });
}

#[test]
fn the_name_is_free_after_close_and_after_drop() {
    on_each_transport(async |framing| {
        let name = unique_name();
        let bind = || PipeServer::builder(&name).framing(framing).bind().unwrap();
        for _ in 0..20 {
            drop(bind());
            let mut server = bind();
            server.close();
            server.close();
            let again = bind();
            assert_eq!(server.accept().await.unwrap_err().kind(), ErrorKind::NotConnected);
            assert_eq!((server.listening(), again.listening() > 0), (0, true));
            connect(&name, framing).await;
        }
        let error = Pipe::connect(&name).await.unwrap_err();
        assert!(matches!(error, ConnectError::NotFound { .. }), "{error}");
    });
}

#[test]
fn closing_the_server_closes_who_was_not_taken_and_leaves_the_others() {
    on_each_transport(async |framing| {
        let (mut server, name) = server(framing);
        let mut taken = connect(&name, framing).await;
        let mut served = server.accept().await.unwrap();
        let mut waiting = connect(&name, framing).await;
        server.close();
        assert!(!matches!(waiting.recv().await, Ok(Some(_))), "closed, or reset");
        drop(server);
        served.send(b"still served").await.unwrap();
        assert_eq!(&*taken.recv().await.unwrap().unwrap(), b"still served");
    });
}

#[test]
fn without_a_server_the_error_says_how_to_wait() {
    on_each_transport(async |framing| {
        let name = unique_name();
        let error = Pipe::builder(&name).framing(framing).connect().await.unwrap_err();
        assert!(matches!(error, ConnectError::NotFound { .. }), "{error}");
        let text = error.to_string();
        assert!(
            text.contains(&name) && text.contains(".wait_for_server(true)"),
            "{text}"
        );
    });
}

#[test]
fn a_client_that_waits_is_connected_when_the_server_comes() {
    on_each_transport(async |framing| {
        let name = unique_name();
        let builder = Pipe::builder(&name)
            .framing(framing)
            .wait_for_server(true)
            .deadline(HANG);
        let mut waiting = Box::pin(builder.connect());
        // The first attempt has been made when the first poll is over.
        assert!(support::drop_at_poll(1, waiting.as_mut()).await.is_none());
        let mut server = PipeServer::builder(&name).framing(framing).bind().unwrap();
        let mut client = waiting.await.unwrap();
        client.send(b"at last").await.unwrap();
        let mut served = server.accept().await.unwrap();
        assert_eq!(&*served.recv().await.unwrap().unwrap(), b"at last");
    });
}

#[test]
fn waiting_ends_at_the_deadline_and_says_for_what() {
    on_each_transport(async |framing| {
        let name = unique_name();
        let deadline = Duration::from_millis(20);
        let builder = Pipe::builder(&name)
            .framing(framing)
            .wait_for_server(true)
            .deadline(deadline);
        let error = builder.connect().await.unwrap_err();
        let no_server = matches!(
            error,
            ConnectError::TimedOut {
                obstacle: Obstacle::NoServer,
                ..
            }
        );
        assert!(no_server, "{error}");
    });
}

#[test]
fn outside_a_runtime_the_error_says_so() {
    let name = unique_name();
    assert!(matches!(PipeServer::bind(&name), Err(BindError::NoRuntime)));
    let mut connecting = std::pin::pin!(Pipe::connect(&name));
    let mut cx = std::task::Context::from_waker(std::task::Waker::noop());
    let outcome = connecting.as_mut().poll(&mut cx);
    assert!(matches!(
        outcome,
        std::task::Poll::Ready(Err(ConnectError::NoRuntime))
    ));
}

#[test]
#[cfg(unix)] // on Windows they go on: the engine is part of no runtime
fn pipes_outlive_the_runtime_of_their_making_without_a_hang_or_panic() {
    let runtime = || tokio::runtime::Runtime::new().unwrap();
    for framing in support::framings() {
        let (first, second) = (runtime(), runtime());
        let (mut client, mut served) = first.block_on(support::pair(*framing));
        let (mut server, _) = first.block_on(async { server(*framing) });
        drop(first);
        second.block_on(async {
            assert!(client.recv().await.is_err());
            while client.send(&[1; 65_536]).await.is_ok() {}
            assert!(served.recv().await.is_err());
            assert!(server.accept().await.is_err());
        });
    }
}
