//! Names of users and groups, and the program at the other end.
#![allow(clippy::unwrap_used)] // helpers of tests are not seen as tests

mod support;

use pipe_rpc_transport::{LookupError, PeerIdentity, executable_for_logs, group_named, user_named};
use support::{on_each_transport, pair};

#[cfg(unix)]
fn our_name() -> String {
    let user = nix::unistd::User::from_uid(nix::unistd::geteuid()).unwrap();
    user.expect("this user has a name").name
}

#[cfg(windows)]
fn our_name() -> String {
    std::env::var("USERNAME").unwrap()
}

#[test]
fn a_user_is_found_by_name_and_is_who_connects() {
    let name = our_name();
    let ours = user_named(&name).unwrap();
    assert!(ours.to_string().starts_with(&format!("user {name} (")), "{ours}");
    on_each_transport(async |framing| {
        let (_client, served) = pair(framing).await;
        assert!(served.peer().is(&ours), "{ours} is not {}", served.peer());
    });
}

#[test]
fn a_name_that_nobody_has_is_told() {
    for name in ["no-such-account-4711", "", "root\0", "Everyone\0"] {
        for error in [user_named(name).unwrap_err(), group_named(name).unwrap_err()] {
            assert!(matches!(error, LookupError::Unknown { .. }), "{name:?}: {error}");
        }
    }
}

#[test]
#[cfg(target_os = "linux")] // the group's name is not everywhere this one
fn a_group_is_found_by_name() {
    let group = group_named("root").unwrap();
    assert_eq!(group.id(), pipe_rpc_transport::Principal::gid(0).id());
    assert_eq!(group.to_string(), "group root (gid 0)");
}

#[test]
#[cfg(windows)]
fn a_users_name_is_no_groups() {
    let error = group_named(our_name()).unwrap_err();
    assert!(matches!(error, LookupError::AnotherKind { .. }), "{error}");
}

#[test]
#[cfg(any(target_os = "linux", windows))] // peers have no process id elsewhere
fn the_program_at_the_other_end_is_told_for_logs() {
    let ours = std::env::current_exe().unwrap();
    on_each_transport(async |framing| {
        let (_client, served) = pair(framing).await;
        let told = executable_for_logs(served.peer()).unwrap();
        assert_eq!(told.file_name(), ours.file_name());
    });
}

#[test]
fn without_a_process_id_no_program_is_told() {
    let account = PeerIdentity::in_process().account;
    assert_eq!(executable_for_logs(&PeerIdentity::new(account, None)), None);
}
