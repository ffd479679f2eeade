//! Unix: which accounts' clients may connect, by each choice of access.
#![cfg(unix)]
#![allow(clippy::unwrap_used)] // helpers of tests are not seen as tests

mod support;

use std::fs;
use std::os::unix::fs::PermissionsExt;

use pipe_rpc_transport::{
    Access, AccessError, BindError, ConnectError, Framing, Owner, Pipe, PipeName, PipeServer, Principal,
};
use support::accounts::{Caller, Outcome, open_directory, outcome, play, skipped_without_root};
use support::{on_each_transport, role, unique_name};

const STRANGER: u32 = 12_345;
const OTHER: u32 = 12_346;
const GROUP: u32 = 23_456;

fn bind(name: PipeName, framing: Framing, access: Access) -> PipeServer {
    PipeServer::builder(name)
        .framing(framing)
        .access(access)
        .bind()
        .unwrap()
}

/// Holds what comes of each caller against what is expected, at servers of that access.
fn check(test: &'static str, access: &Access, expected: &[(Caller, Outcome)]) {
    if let Some((role, name)) = role() {
        return play(&role, &name);
    }
    if skipped_without_root("whether another account may connect") {
        return;
    }
    on_each_transport(async |framing| {
        let directory = open_directory();
        let path = directory.path().join("pipe");
        let mut server = bind(PipeName::native(&path).unwrap(), framing, access.clone());
        for (caller, expected) in expected {
            let command = caller.command(test, framing, path.to_str().unwrap());
            let came = outcome(&mut server, command).await;
            assert_eq!(came, *expected, "{caller:?}, {access:?}, {framing:?}");
        }
    });
}

#[test]
fn the_same_users_access_admits_nobody_else() {
    check(
        "the_same_users_access_admits_nobody_else",
        &Access::SameUser,
        &[
            (Caller::user(0), Outcome::Welcomed),
            (Caller::user(STRANGER), Outcome::Denied),
            (Caller::user(STRANGER).in_groups(&[0]), Outcome::Denied),
        ],
    );
}

#[test]
fn any_users_access_admits_every_account() {
    check(
        "any_users_access_admits_every_account",
        &Access::AnyUser,
        &[
            (Caller::user(0), Outcome::Welcomed),
            (Caller::user(STRANGER), Outcome::Welcomed),
            (Caller::user(OTHER), Outcome::Welcomed),
        ],
    );
}

#[test]
fn listed_users_are_admitted_and_others_are_shown_the_door() {
    check(
        "listed_users_are_admitted_and_others_are_shown_the_door",
        &Access::listed([Principal::uid(STRANGER)]),
        &[
            (Caller::user(0), Outcome::Welcomed),
            (Caller::user(STRANGER), Outcome::Welcomed),
            (Caller::user(OTHER), Outcome::ShownTheDoor),
            (
                Caller {
                    gid: STRANGER,
                    ..Caller::user(OTHER)
                },
                Outcome::ShownTheDoor,
            ),
        ],
    );
}

#[test]
fn members_of_listed_groups_are_admitted_by_their_main_group() {
    check(
        "members_of_listed_groups_are_admitted_by_their_main_group",
        &Access::listed([Principal::gid(GROUP)]),
        &[
            (
                Caller {
                    gid: GROUP,
                    ..Caller::user(STRANGER)
                },
                Outcome::Welcomed,
            ),
            (Caller::user(STRANGER), Outcome::ShownTheDoor),
            (
                Caller {
                    gid: STRANGER,
                    ..Caller::user(GROUP)
                },
                Outcome::ShownTheDoor,
            ),
        ],
    );
}

#[test]
#[cfg(target_os = "linux")] // elsewhere no safe call makes a process a member
fn members_of_listed_groups_are_admitted_by_their_further_groups() {
    let hundreds: Vec<u32> = (30_000..30_300).chain([GROUP]).collect();
    check(
        "members_of_listed_groups_are_admitted_by_their_further_groups",
        &Access::listed([Principal::gid(GROUP)]),
        &[
            (
                Caller::user(STRANGER).in_groups(&[4, GROUP, 7]),
                Outcome::Welcomed,
            ),
            (Caller::user(STRANGER).in_groups(&hundreds), Outcome::Welcomed),
            (Caller::user(STRANGER).in_groups(&[4, 7]), Outcome::ShownTheDoor),
        ],
    );
}

/// The socket's mode is only the first check.
#[test]
fn a_socket_that_was_opened_to_all_still_admits_the_same_user_only() {
    const TEST: &str = "a_socket_that_was_opened_to_all_still_admits_the_same_user_only";
    if let Some((role, name)) = role() {
        return play(&role, &name);
    }
    if skipped_without_root("whether another account may connect") {
        return;
    }
    on_each_transport(async |framing| {
        let directory = open_directory();
        let path = directory.path().join("pipe");
        let mut server = bind(PipeName::native(&path).unwrap(), framing, Access::SameUser);
        fs::set_permissions(&path, fs::Permissions::from_mode(0o666)).unwrap();
        for (caller, expected) in [
            (STRANGER, Outcome::ShownTheDoor),
            (0, Outcome::Welcomed),
            (STRANGER, Outcome::ShownTheDoor),
        ] {
            let command = Caller::user(caller).command(TEST, framing, path.to_str().unwrap());
            assert_eq!(
                outcome(&mut server, command).await,
                expected,
                "the listener goes on"
            );
        }
        assert!(server.listening() > 0);
    });
}

#[test]
fn a_shared_name_is_found_by_every_account() {
    const TEST: &str = "a_shared_name_is_found_by_every_account";
    if let Some((role, name)) = role() {
        return play(&role, &name);
    }
    if skipped_without_root("the place of shared names is root's") {
        return;
    }
    on_each_transport(async |framing| {
        let name = unique_name();
        let mut server = bind(PipeName::shared(&name).unwrap(), framing, Access::AnyUser);
        let command = Caller::user(STRANGER).command(TEST, framing, &format!("shared:{name}"));
        assert_eq!(outcome(&mut server, command).await, Outcome::Welcomed);
    });
}

#[test]
fn a_client_that_expects_itself_does_not_send_to_roots_server() {
    const TEST: &str = "a_client_that_expects_itself_does_not_send_to_roots_server";
    if let Some((_, name)) = role() {
        nix::unistd::setuid(nix::unistd::Uid::from_raw(STRANGER)).unwrap();
        let runtime = tokio::runtime::Runtime::new().unwrap();
        let error = runtime.block_on(Pipe::connect(&name)).unwrap_err();
        assert!(matches!(
            error,
            ConnectError::WrongOwner {
                expected: Owner::SameUser,
                ..
            }
        ));
        assert!(error.to_string().contains("runs as uid 0"), "{error}");
        return;
    }
    if skipped_without_root("whether another account's client looks at the owner") {
        return;
    }
    let directory = open_directory();
    let path = directory.path().join("pipe");
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let _server =
        runtime.block_on(async { bind(PipeName::native(&path).unwrap(), Framing::Native, Access::AnyUser) });
    let mut child = support::child(TEST, "native", path.to_str().unwrap());
    assert!(child.status().unwrap().success());
}

#[test]
fn a_plain_name_is_not_for_other_users_and_the_error_says_what_is() {
    on_each_transport(async |framing| {
        for access in [Access::AnyUser, Access::listed([Principal::uid(STRANGER)])] {
            let name = unique_name();
            let builder = PipeServer::builder(&name).framing(framing).access(access);
            let error = builder.bind().unwrap_err();
            assert!(
                matches!(&error, BindError::Access(AccessError::PlainName { name: told }) if *told == name),
                "{error}"
            );
            assert!(error.to_string().contains("PipeName::shared"), "{error}");
        }
    });
}
