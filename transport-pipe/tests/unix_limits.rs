//! Unix: a server at the descriptor limit, in a process of its own.
#![cfg(unix)]
#![allow(clippy::unwrap_used)] // helpers of tests are not seen as tests

mod support;

use std::fs::File;
use std::io::{BufRead, BufReader, Write};
use std::process::Child;

use pipe_rpc_transport::PipeServer;
use rustix::process::{Resource, Rlimit, setrlimit};
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
