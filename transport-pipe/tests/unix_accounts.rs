//! Unix: clients of other accounts. In a file of its own: a program that was just copied cannot be started while another
//! test of the same process starts one ("text file busy").
#![cfg(unix)]
#![allow(clippy::unwrap_used)] // helpers of tests are not seen as tests

mod support;

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;

use pipe_rpc_transport::{Access, Owner, Pipe, PipeServer};
use rustix::process::geteuid;
use support::{child, connect, framing_of, on_each_transport, role, role_text};

#[test]
fn another_accounts_client_is_refused_unless_any_user_may_connect() {
    const TEST: &str = "another_accounts_client_is_refused_unless_any_user_may_connect";
    const STRANGER: u32 = 12_345;
    if let Some((role, name)) = role() {
        connect_as_a_stranger(&role, &name);
    }
    if !geteuid().is_root() {
        return; // only root can start a process of another account
    }
    on_each_transport(async |framing| {
        for (access, served) in [(Access::SameUser, false), (Access::AnyUser, true)] {
            let directory = tempfile::tempdir().unwrap();
            fs::set_permissions(directory.path(), fs::Permissions::from_mode(0o755)).unwrap();
            let program = directory.path().join("program");
            fs::copy(std::env::current_exe().unwrap(), &program).unwrap();
            fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
            let path = directory.path().join("pipe").to_str().unwrap().to_owned();
            let mut server = PipeServer::builder(&path)
                .framing(framing)
                .access(access)
                .bind()
                .unwrap();
            // Past the file's mode, to see that the account is looked at.
            fs::set_permissions(&path, fs::Permissions::from_mode(0o666)).unwrap();

            let template = child(TEST, role_text(framing), &path);
            let mut stranger = std::process::Command::new(&program);
            stranger.args(template.get_args()).current_dir("/").uid(STRANGER);
            stranger.envs(
                template
                    .get_envs()
                    .filter_map(|(name, value)| Some((name, value?))),
            );
            let mut stranger = stranger.spawn().unwrap();
            if served {
                let mut refused = server.accept().await.unwrap();
                assert!(refused.recv().await.unwrap().is_none(), "it refused us first");
                let mut pipe = server.accept().await.unwrap();
                assert_eq!(pipe.peer().account.to_string(), format!("uid {STRANGER}"));
                pipe.send(b"welcome").await.unwrap();
            }
            let welcomed = tokio::task::spawn_blocking(move || stranger.wait())
                .await
                .unwrap()
                .unwrap();
            assert_eq!(welcomed.code(), Some(if served { 10 } else { 11 }));
            assert_eq!(server.connected(), 0);

            let mut good = connect(&path, framing).await;
            good.send(b"good").await.unwrap();
            let packet = server.accept().await.unwrap().recv().await.unwrap().unwrap();
            assert_eq!(&*packet, b"good", "the listener goes on");
        }
    });
}

/// Ends with 10 if it was greeted, and with 11 if it was shown the door.
fn connect_as_a_stranger(role: &str, name: &str) -> ! {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let received = runtime.block_on(async {
        let framing = framing_of(role);
        let refused = Pipe::builder(name).framing(framing).connect().await.unwrap_err();
        assert!(refused.to_string().contains("runs as uid 0"), "{refused}");
        let builder = Pipe::builder(name).framing(framing).expect_owner(Owner::Root);
        builder.connect().await.unwrap().recv().await.unwrap()
    });
    std::process::exit(if received.is_some() { 10 } else { 11 });
}
