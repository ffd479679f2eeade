//! Calls that lead to calls the other way.

use pipe_rpc::{ConnectError, MountError, Server};

use crate::ends::{RelayClient, connect, host, plugin};
use crate::support::lab::{LabServer, Laboratory};
use crate::support::{LabClient, soon};

#[tokio::test]
async fn a_handler_calls_back_into_its_caller_and_so_on() {
    let host = host("callbacks-bounce");
    let (client, plugin) = plugin(&host.name).await;
    for more in 0..5 {
        assert_eq!(soon(client.bounce(more)).await, Ok(u8::try_from(more).unwrap()));
    }
    assert_eq!(host.end.relay.gauge.begun(), 1 + 1 + 2 + 2 + 3);
    assert_eq!(plugin.relay.gauge.begun(), 1 + 1 + 2 + 2);
}

#[tokio::test]
async fn a_channel_to_the_peer_outlives_the_call_and_its_calls_are_not_nested() {
    let host = host("callbacks-keep");
    let (client, _plugin) = plugin(&host.name).await;
    client.keep().await.unwrap();
    let kept = RelayClient::new(host.end.relay.kept());
    assert_eq!(soon(kept.bounce(0)).await, Ok(0));
    assert_eq!(soon(kept.bounce(3)).await, Ok(3));
}

#[tokio::test]
async fn a_channel_to_the_peer_neither_ends_the_connection_nor_keeps_it() {
    let host = host("callbacks-drop");
    let (client, _plugin) = plugin(&host.name).await;
    client.keep().await.unwrap();
    for _ in 0..3 {
        drop(host.end.relay.kept());
        assert_eq!(soon(client.bounce(1)).await, Ok(1));
    }
    drop(client);
    soon(host.end.relay.kept().closed()).await;
}

#[tokio::test]
async fn a_service_under_another_name_is_reached_by_the_channel() {
    let host = host("callbacks-named");
    let offers = Server::builder().service_as("second", LabServer::new(Laboratory::default()));
    let client = RelayClient::connect(connect(&host.name).serving(offers))
        .await
        .unwrap();
    client.keep().await.unwrap();
    let lab = LabClient::named(host.end.relay.kept(), "second");
    assert_eq!(soon(lab.echo("here".into())).await.unwrap(), "here");
    let fault = soon(LabClient::new(host.end.relay.kept()).echo("here".into()))
        .await
        .unwrap_err();
    assert!(fault.to_string().contains("it serves second"), "{fault}");
}

#[tokio::test]
async fn without_services_a_callback_is_refused_and_told_what_to_do() {
    let host = host("callbacks-none");
    let client = RelayClient::connect(connect(&host.name)).await.unwrap();
    let error = soon(client.bounce(1)).await.unwrap_err().to_string();
    assert!(error.contains("offers no services"), "{error}");
    assert_eq!(soon(client.bounce(0)).await, Ok(0));
}

#[tokio::test]
async fn services_that_do_not_go_together_are_told_when_it_connects() {
    let lab = || LabServer::new(Laboratory::default());
    let twice = Server::builder().service(lab()).service(lab());
    let error = connect("nobody").serving(twice).open().await.unwrap_err();
    assert!(
        matches!(error, ConnectError::Mount(MountError::SameName { .. })),
        "{error}"
    );
}
