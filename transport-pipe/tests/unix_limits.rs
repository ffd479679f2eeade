//! Unix: a server at the descriptor limit, and clients of other accounts. Both need processes of their own.
#![cfg(unix)]

mod support;

use std::fs::{self, File};
use std::io::{BufRead, BufReader, Write};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::process::Child;

use pipe_rpc_transport::{Access, Owner, Pipe, PipeServer};
use rustix::process::{Resource, Rlimit, geteuid, setrlimit};
use support::{child, connect, framing_of, on_each_transport, role, role_text};

/// Counts warnings, by printing a line for each.
struct Warnings;

impl tracing::Subscriber for Warnings {
    fn enabled(&self, metadata: &tracing::Metadata<'_>) -> bool {
        *metadata.level() <= tracing::Level::WARN
    }
    fn new_span(&self, _: &tracing::span::Attributes<'_>) -> tracing::span::Id {
        tracing::span::Id::from_u64(1)
    }
    fn record(&self, _: &tracing::span::Id, _: &tracing::span::Record<'_>) {}
    fn record_follows_from(&self, _: &tracing::span::Id, _: &tracing::span::Id) {}
    fn event(&self, _: &tracing::Event<'_>) {
        println!("\nwarned");
    }
    fn enter(&self, _: &tracing::span::Id) {}
    fn exit(&self, _: &tracing::span::Id) {}
}

fn wait_for(child: &mut Child, line: &str) {
    let mut output = BufReader::new(child.stdout.as_mut().unwrap());
    let mut found = String::new();
    while found.trim() != line {
        found.clear();
        assert!(
            output.read_line(&mut found).unwrap() > 0,
            "the child ended before `{line}`"
        );
    }
}

#[test]
fn a_server_at_the_descriptor_limit_goes_on_when_there_is_room_again() {
    const TEST: &str = "a_server_at_the_descriptor_limit_goes_on_when_there_is_room_again";
    if let Some((role, name)) = role() {
        serve_at_the_limit(&role, &name);
    }
    on_each_transport(async |framing| {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("pipe").to_str().unwrap().to_owned();
        let mut server = child(TEST, role_text(framing), &path).spawn().unwrap();
        wait_for(&mut server, "full");
        let mut client = connect(&path, framing).await;
        client.send(b"patient").await.unwrap();
        wait_for(&mut server, "warned");
        server.stdin.as_mut().unwrap().write_all(b"\n").unwrap();
        assert_eq!(&*client.recv().await.unwrap().unwrap(), b"patient");
        drop(client);
        assert!(server.wait().unwrap().success());
    });
}

fn serve_at_the_limit(role: &str, name: &str) -> ! {
    tracing::subscriber::set_global_default(Warnings).unwrap();
    let (current, maximum) = (Some(64), Some(64));
    setrlimit(Resource::Nofile, Rlimit { current, maximum }).unwrap();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let mut server = {
        let _context = runtime.enter();
        PipeServer::builder(name)
            .framing(framing_of(role))
            .bind()
            .unwrap()
    };
    let hoard: Vec<File> = std::iter::from_fn(|| File::open("/dev/null").ok()).collect();
    println!("\nfull");
    std::io::stdin().read_line(&mut String::new()).unwrap();
    drop(hoard);
    runtime.block_on(async {
        let mut served = server.accept().await.unwrap();
        let packet = served.recv().await.unwrap().unwrap();
        served.send(&packet).await.unwrap();
        assert!(served.recv().await.unwrap().is_none());
    });
    std::process::exit(0);
}

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
