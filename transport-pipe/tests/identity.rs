//! Who is at the other end, and whose server a client accepts.
#![allow(clippy::unwrap_used)] // helpers of tests are not seen as tests

mod support;

use pipe_rpc_transport::{ConnectError, NameError, Owner, Pipe, PipeName};
use support::{on_each_transport, pair, server};

#[test]
fn both_ends_know_who_the_other_is() {
    on_each_transport(async |framing| {
        let (client, served) = pair(framing).await;
        assert_eq!(
            client.peer().account,
            served.peer().account,
            "both are this process"
        );
        assert!(client.peer().is_same_user() && served.peer().is_same_user());
        let ours = Some(std::process::id());
        for peer in [client.peer(), served.peer()] {
            assert!(peer.pid.is_none() || peer.pid == ours, "{peer}");
        }
    });
}

#[test]
fn a_server_of_another_owner_is_refused_and_the_error_names_both() {
    on_each_transport(async |framing| {
        let (mut server, name) = server(framing);
        let stranger = if cfg!(unix) {
            Owner::Uid(12_345)
        } else {
            Owner::Sid("S-1-5-21-12345".into())
        };
        let builder = Pipe::builder(&name)
            .framing(framing)
            .expect_owner(stranger.clone());
        let error = builder.connect().await.unwrap_err();
        assert!(matches!(error, ConnectError::WrongOwner { .. }), "{error}");
        let text = error.to_string();
        for part in [&*name, &stranger.to_string(), ".expect_owner(..)"] {
            assert!(text.contains(part), "{text}");
        }
        let mut refused = server.accept().await.unwrap();
        assert!(refused.recv().await.unwrap().is_none(), "nothing was sent");
    });
}

#[test]
fn a_bad_name_is_told_before_anything_is_tried() {
    on_each_transport(async |_| {
        let error = Pipe::connect("a/b").await.unwrap_err();
        assert!(
            matches!(error, ConnectError::Name(NameError::Separator { .. })),
            "{error}"
        );
        let error = Pipe::connect("x".repeat(300)).await.unwrap_err();
        assert!(
            matches!(error, ConnectError::Name(NameError::TooLong { .. })),
            "{error}"
        );
    });
    assert!(PipeName::new("ordinary").is_ok());
    assert!(PipeName::native("not a full path").is_err());
}
