//! Listening on named pipes: clients come in bursts, leave at once, and none is lost.
#![cfg(windows)]
#![allow(clippy::unwrap_used)] // in helpers of tests, too

use std::fs::OpenOptions;
use std::io::{ErrorKind, Write};
use std::time::Duration;

use pipe_rpc_transport::{BindError, ConnectError, Pipe, PipeServer};
use tokio::time::timeout;

fn name(test: &str) -> String {
    format!("{test}-{}", std::process::id())
}

/// What a broken server would never do; the limit is never reached.
async fn soon<T>(future: impl Future<Output = T>) -> T {
    timeout(Duration::from_secs(60), future)
        .await
        .expect("it happens in time")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_burst_of_200_clients_is_served() {
    let mut server = PipeServer::bind(name("burst")).unwrap();
    let path = server.local_name().to_owned();
    let clients: Vec<_> = (0..200_u32)
        .map(|number| {
            let path = path.clone();
            tokio::spawn(async move {
                let connect = Pipe::builder(path).deadline(Duration::from_secs(60)).connect();
                let mut pipe = connect.await.unwrap();
                pipe.send(&number.to_le_bytes()).await.unwrap();
                assert_eq!(&*pipe.recv().await.unwrap().unwrap(), number.to_le_bytes());
            })
        })
        .collect();
    for _ in 0..200 {
        let mut pipe = soon(server.accept()).await.unwrap();
        tokio::spawn(async move {
            let packet = pipe.recv().await.unwrap().unwrap();
            pipe.send(&packet).await.unwrap();
        });
    }
    for client in clients {
        soon(client).await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn clients_that_come_and_leave_at_once_do_not_end_the_server() {
    let mut server = PipeServer::bind(name("leaving")).unwrap();
    let path = server.local_name().to_owned();
    let coming = tokio::task::spawn_blocking(move || {
        let mut written = 0;
        let mut left = 0;
        while left < 1000 {
            // A full server is no failure here; what is looked at is that it goes on.
            let Ok(mut file) = OpenOptions::new().read(true).write(true).open(&path) else {
                std::thread::yield_now();
                continue;
            };
            if left % 2 == 0 {
                file.write_all(b"bye").unwrap();
                written += 1;
            }
            left += 1;
        }
        written
    });
    let (mut served, mut read) = (0, 0);
    while served < 1000 {
        let mut pipe = soon(server.accept()).await.unwrap();
        served += 1;
        if let Some(packet) = soon(pipe.recv()).await.unwrap() {
            assert_eq!(&*packet, b"bye");
            read += 1;
            assert!(soon(pipe.recv()).await.unwrap().is_none());
        }
    }
    assert_eq!(
        read,
        coming.await.unwrap(),
        "what was written before leaving is read"
    );
    assert_eq!(server.connected(), 0);
}

#[tokio::test]
async fn the_spare_instances_are_there_from_the_start_and_after_each_client() {
    let mut server = PipeServer::builder(name("spare"))
        .spare_instances(3)
        .bind()
        .unwrap();
    assert_eq!(server.listening(), 3);
    let mut pipes = Vec::new();
    for taken in 1..=5 {
        let client = Pipe::connect(server.local_name()).await.unwrap();
        pipes.push((client, soon(server.accept()).await.unwrap()));
        assert_eq!((server.listening(), server.connected()), (3, taken));
    }
    drop(pipes);
    assert_eq!(server.connected(), 0);
}

#[tokio::test]
async fn clients_that_nobody_accepts_are_bounded_and_none_is_lost() {
    let mut server = PipeServer::bind(name("unaccepted")).unwrap();
    let mut clients = Vec::new();
    loop {
        let connect = Pipe::builder(server.local_name())
            .deadline(Duration::from_millis(300))
            .connect();
        match connect.await {
            Ok(client) => clients.push(client),
            Err(ConnectError::TimedOut { .. }) => break,
            Err(error) => panic!("{error}"),
        }
        assert!(clients.len() < 200, "the queue has a bound");
    }
    for client in &mut clients {
        client.send(b"here").await.unwrap();
        let mut pipe = soon(server.accept()).await.unwrap();
        assert_eq!(&*pipe.recv().await.unwrap().unwrap(), b"here");
    }
}

#[tokio::test]
async fn an_accept_that_is_dropped_loses_no_client() {
    let mut server = PipeServer::bind(name("dropped-accept")).unwrap();
    for _ in 0..100 {
        let path = server.local_name().to_owned();
        let connect = tokio::spawn(async move { Pipe::connect(path).await.unwrap() });
        let _served = loop {
            if let Ok(pipe) = timeout(Duration::ZERO, server.accept()).await {
                break pipe.unwrap();
            }
            tokio::task::yield_now().await;
        };
        connect.await.unwrap();
    }
}

#[tokio::test]
async fn a_closed_server_frees_its_name_at_once() {
    for _ in 0..100 {
        let mut server = PipeServer::bind(name("freed")).unwrap();
        let path = server.local_name().to_owned();
        server.close();
        server.close();
        assert_eq!(server.listening(), 0);
        assert_eq!(server.accept().await.unwrap_err().kind(), ErrorKind::NotConnected);
        let refused = Pipe::connect(path).await.unwrap_err();
        assert!(matches!(refused, ConnectError::NotFound { .. }), "{refused}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_close_while_clients_come_closes_those_not_taken() {
    for _ in 0..200 {
        let mut server = PipeServer::bind(name("close-race")).unwrap();
        let path = server.local_name().to_owned();
        let client = tokio::spawn(async move { Pipe::connect(path).await });
        tokio::task::yield_now().await;
        server.close();
        assert_eq!((server.listening(), server.connected()), (0, 0));
        match soon(client).await.unwrap() {
            Ok(mut pipe) => {
                let told = soon(pipe.recv()).await;
                assert!(matches!(&told, Ok(None) | Err(_)), "{told:?}");
            }
            Err(ConnectError::NotFound { .. } | ConnectError::Io { .. } | ConnectError::TimedOut { .. }) => {}
            Err(error) => panic!("{error}"),
        }
    }
}

#[tokio::test]
async fn accepted_pipes_outlive_their_server() {
    let mut server = PipeServer::bind(name("outlived")).unwrap();
    let mut client = Pipe::connect(server.local_name()).await.unwrap();
    let mut served = server.accept().await.unwrap();
    drop(server);
    client.send(b"on we go").await.unwrap();
    assert_eq!(&*served.recv().await.unwrap().unwrap(), b"on we go");
}

#[test]
fn a_server_without_a_runtime_says_what_it_needs() {
    assert!(matches!(
        PipeServer::bind(name("no-runtime")),
        Err(BindError::NoRuntime)
    ));
}

#[test]
fn a_server_whose_runtime_is_gone_says_that_it_is_closed() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let mut server = runtime.block_on(async { PipeServer::bind(name("runtime-gone")).unwrap() });
    drop(runtime);
    let other = tokio::runtime::Runtime::new().unwrap();
    let error = other.block_on(server.accept()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotConnected);
}
