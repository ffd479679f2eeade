//! Unix: rules about who may call what, and callers that really run as other users.
#![cfg(unix)]

#[expect(unreachable_pub, dead_code, reason = "each test file uses a part")]
mod support;

use std::fs;
use std::os::unix::fs::PermissionsExt;

use nix::unistd::{Gid, Uid, setgid, setuid};
use pipe_rpc::{Access, Authorize, Connect, Owner, PipeName, PipeServer, Principal, Require, Server};
use support::lab::{LabServer, Laboratory};
use support::{LabClient, child};

const ALICE: u32 = 12_345;
const BOB: u32 = 12_346;
const GROUP: u32 = 23_456;

/// As a child: becomes the user and group of the role, makes its calls, and tells what came of each.
#[test]
fn child_role() {
    let Some((role, name)) = child::role() else { return };
    let (uid, gid) = role.split_once(' ').unwrap();
    setgid(Gid::from_raw(gid.parse().unwrap())).unwrap();
    setuid(Uid::from_raw(uid.parse().unwrap())).unwrap();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let connect = Connect::to(PipeName::native(name).unwrap()).expect_owner(Owner::Root);
        let client = LabClient::new(connect.open().await.unwrap());
        let texts = [
            client.echo("x".into()).await.map(|_| ()),
            client.take(vec![7].into()).await.map(|_| ()),
            client.give(1).await.map(|_| ()),
        ];
        for text in texts {
            child::tell(&text.map_or_else(|fault| fault.detail().unwrap().to_owned(), |()| "ran".to_owned()));
        }
    });
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_caller_is_told_what_the_rules_require_of_it() {
    if !rustix::process::geteuid().is_root() {
        eprintln!("SKIPPED without root: what the rules say to other users");
        return;
    }
    let directory = tempfile::tempdir().unwrap();
    fs::set_permissions(directory.path(), fs::Permissions::from_mode(0o755)).unwrap();
    let path = directory.path().join("pipe");
    let listener = PipeServer::builder(PipeName::native(&path).unwrap())
        .access(Access::AnyUser)
        .bind()
        .unwrap();
    let rules = Authorize::new()
        .otherwise(Require::anyone())
        .method("Lab", "take", Principal::uid(ALICE))
        .method("Lab", "give", Require::same_user().or(Require::gid(GROUP)));
    let server = Server::builder().service(LabServer::new(Laboratory::default()));
    tokio::spawn(server.authorize(rules).serve(listener));

    let path = path.to_str().unwrap().to_owned();
    let told = async |role: String| {
        let path = path.clone();
        tokio::task::spawn_blocking(move || {
            let mut child = child::start(&role, &path);
            [child.told(), child.told(), child.told()]
        })
        .await
        .unwrap()
    };
    let take = |uid: u32| format!("Lab.take requires uid {ALICE}, and uid {uid} calls");
    let give = |uid: u32| {
        format!("Lab.give requires the user who runs the server or gid {GROUP}, and uid {uid} calls")
    };
    let ran = || "ran".to_owned();
    assert_eq!(
        told(format!("{ALICE} {ALICE}")).await,
        [ran(), ran(), give(ALICE)]
    );
    assert_eq!(told(format!("{BOB} {BOB}")).await, [ran(), take(BOB), give(BOB)]);
    assert_eq!(told(format!("{BOB} {GROUP}")).await, [ran(), take(BOB), ran()]);
    assert_eq!(told("0 0".to_owned()).await, [ran(), take(0), ran()]);
}
