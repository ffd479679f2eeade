//! What a host begins with each new client.

use pipe_rpc::{Channel, ConnectionError, ServeError};
use tokio::sync::{mpsc, oneshot};

use crate::ends::{End, RelayClient, host_with, plugin};
use crate::support::{LabClient, soon, unique_name};

#[tokio::test]
async fn a_host_calls_its_plugins_when_they_connect_and_sees_them_go() {
    let (tell, mut told) = mpsc::unbounded_channel();
    let host = host_with("callbacks-hook", move |server| {
        server.on_connect(move |peer: Channel| {
            let tell = tell.clone();
            async move {
                let lab = LabClient::new(peer.clone());
                tell.send(lab.echo("come in".into()).await.unwrap()).unwrap();
                tell.send(peer.closed().await.to_string()).unwrap();
            }
        })
    });
    for _ in 0..3 {
        let (client, _plugin) = plugin(&host.name).await;
        assert_eq!(soon(told.recv()).await.unwrap(), "come in");
        assert_eq!(soon(client.bounce(1)).await, Ok(1));
        drop(client);
        let gone = ConnectionError::PeerClosed.to_string();
        assert_eq!(soon(told.recv()).await.unwrap(), gone);
    }
}

#[tokio::test]
async fn its_panics_are_its_own() {
    let host = host_with("callbacks-hook-panic", |server| {
        server.on_connect(|_| async { panic!("on purpose") })
    });
    let (client, _plugin) = plugin(&host.name).await;
    for _ in 0..3 {
        assert_eq!(soon(client.bounce(2)).await, Ok(2));
    }
}

#[tokio::test]
async fn a_draining_host_waits_until_it_has_tidied_up() {
    let (name, end) = (unique_name("callbacks-hook-drain"), End::default());
    let (tell, mut told) = mpsc::unbounded_channel();
    let (stop, stopped) = oneshot::channel::<()>();
    let tidies = move |peer: Channel| {
        let tell = tell.clone();
        async move {
            peer.closed().await;
            tokio::task::yield_now().await;
            tell.send("tidy").unwrap();
        }
    };
    let listener = pipe_rpc::PipeServer::bind(name.as_str()).unwrap();
    let server = end.services().on_connect(tidies);
    let server = server.serve_until(listener, async { stopped.await.unwrap() });
    let server: tokio::task::JoinHandle<Result<(), ServeError>> = tokio::spawn(server);
    let client: RelayClient = plugin(&name).await.0;
    assert_eq!(soon(client.bounce(0)).await, Ok(0));
    stop.send(()).unwrap();
    soon(server).await.unwrap().unwrap();
    assert_eq!(told.try_recv(), Ok("tidy"));
}
