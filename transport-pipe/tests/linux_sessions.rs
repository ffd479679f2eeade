//! Linux: access for the login session that the server is in. The tests begin sessions of their own, as a login does.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used)] // helpers of tests are not seen as tests

mod support;

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::process::Command;

use pipe_rpc_transport::{Access, AccessError, BindError, Framing, PipeServer};
use support::accounts::{Caller, Outcome, open_directory, outcome, play, skipped_without_root};
use support::{child, framing_of, on_each_transport, role, unique_name};

const STRANGER: u32 = 12_345;
const SERVER: &str = "server";

/// What a login writes, and what makes a process belong to none.
const LOGIN: &str = "0";
const NO_LOGIN: &str = "4294967295";

/// The command, in a session that begins with it, or in none. The shell is of one thread, whose session all inherit.
fn in_session(login: &str, command: &Command) -> Command {
    let mut shell = Command::new("sh");
    shell.args(["-c", "echo $0 > /proc/self/loginuid && exec \"$@\"", login]);
    shell.arg(command.get_program()).args(command.get_args());
    shell.envs(
        command
            .get_envs()
            .filter_map(|(name, value)| Some((name, value?))),
    );
    shell
}

fn bind(name: &str, framing: Framing) -> Result<PipeServer, BindError> {
    let builder = PipeServer::builder(name).framing(framing);
    builder.access(Access::SameSession).bind()
}

/// Says so and gives `true` where sessions cannot be begun, or the kernel does not prove who is in them.
fn skipped_without_sessions() -> bool {
    const WHAT: &str = "who is in the same login session";
    if skipped_without_root(WHAT) {
        return true;
    }
    let begun = in_session(LOGIN, &Command::new("true")).output().unwrap();
    let version = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap();
    let mut numbers = version
        .split(['.', '-'])
        .map(|number| number.parse().unwrap_or(0));
    let version = (numbers.next().unwrap(), numbers.next().unwrap());
    let skipped = !begun.status.success() || version < (6, 5);
    if skipped {
        eprintln!("SKIPPED without auditing or before Linux 6.5: {WHAT}");
    }
    skipped
}

#[test]
fn only_the_same_users_clients_of_the_servers_session_are_admitted() {
    const TEST: &str = "only_the_same_users_clients_of_the_servers_session_are_admitted";
    match role() {
        Some((role, _)) if role == SERVER => serve(TEST),
        Some((role, name)) => play(&role, &name),
        None if skipped_without_sessions() => {}
        None => {
            let status = in_session(LOGIN, &child(TEST, SERVER, "")).status().unwrap();
            assert!(status.success(), "{status}");
        }
    }
}

/// In a session: serves, and holds what comes of each client against what is expected.
fn serve(test: &'static str) {
    on_each_transport(async |framing| {
        let directory = open_directory();
        let path = directory.path().join("pipe");
        let mut server = bind(path.to_str().unwrap(), framing).unwrap();
        // Past the file's mode, to see that the account is looked at too.
        fs::set_permissions(&path, fs::Permissions::from_mode(0o666)).unwrap();
        let client = |uid| Caller::user(uid).command(test, framing, path.to_str().unwrap());
        for (which, client, expected) in [
            ("the same", client(0), Outcome::Welcomed),
            (
                "another session",
                in_session(LOGIN, &client(0)),
                Outcome::ShownTheDoor,
            ),
            (
                "no session",
                in_session(NO_LOGIN, &client(0)),
                Outcome::ShownTheDoor,
            ),
            ("another user", client(STRANGER), Outcome::ShownTheDoor),
            ("the same again", client(0), Outcome::Welcomed),
        ] {
            assert_eq!(outcome(&mut server, client).await, expected, "{which}");
        }
    });
}

#[test]
fn a_server_that_is_in_no_session_does_not_start_and_says_why() {
    const TEST: &str = "a_server_that_is_in_no_session_does_not_start_and_says_why";
    if let Some((role, _)) = role() {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        let error = runtime
            .block_on(async { bind(&unique_name(), framing_of(&role)) })
            .unwrap_err();
        assert!(
            matches!(error, BindError::Access(AccessError::NoSession)),
            "{error}"
        );
        return;
    }
    if skipped_without_sessions() {
        return;
    }
    let status = in_session(NO_LOGIN, &child(TEST, "native", "")).status().unwrap();
    assert!(status.success(), "{status}");
}
