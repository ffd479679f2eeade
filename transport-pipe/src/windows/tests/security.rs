//! Who may connect, and who is told to be at the other end.

use std::os::windows::io::AsHandle;

use rpc_core::transport::{Account, Principal};

use super::{ends, fresh_name};
use crate::access::{Access, AccessError};
use crate::error::AttemptError;
use crate::expect::Owner;
use crate::options::{ConnectOptions, ServerOptions};
use crate::windows::connect_once;
use crate::windows::file_unsafe::Place;
use crate::windows::instance::Blueprint;
use crate::windows::security::{
    DescriptorError, client_of, current_account, descriptor, descriptor_text, server_of, session_text,
};
use crate::windows::security_unsafe::read_back::describe;
use crate::windows::token_unsafe::Token;
use crate::windows::wine_unsafe::skipped_on_wine;

fn own_sid() -> String {
    match current_account().unwrap() {
        Account::Windows { sid } => sid,
        other => panic!("{other:?}"),
    }
}

fn every_access() -> [Access; 4] {
    let listed = ["S-1-5-32-545", "S-1-5-21-1-2-3-1001"].map(|sid| Principal::sid(sid).unwrap());
    [
        Access::SameUser,
        Access::SameSession,
        Access::listed(listed),
        Access::AnyUser,
    ]
}

#[test]
fn the_pipe_has_the_descriptor_that_was_asked_for() {
    for access in every_access() {
        let asked = descriptor(&access).unwrap().to_text().unwrap();
        let options = ServerOptions {
            access,
            ..ServerOptions::default()
        };
        let server = Blueprint::new(&fresh_name(), &options)
            .unwrap()
            .make(Place::First)
            .unwrap();
        assert_eq!(describe(server.as_handle()).unwrap(), asked, "{options:?}");
    }
}

/// Whom the list of this access admits, in the order of the list, beside the system.
fn admitted(access: &Access) -> Vec<String> {
    let text = descriptor(access).unwrap().to_text().unwrap();
    let entries = text.split("(A;;").skip(1);
    let whom = entries.map(|entry| {
        entry
            .split(";;;")
            .nth(1)
            .unwrap()
            .trim_end_matches(')')
            .to_owned()
    });
    whom.filter(|whom| whom != "SY").collect()
}

#[test]
fn each_access_admits_whom_it_names_and_nobody_else() {
    let logon = Token::of_process().unwrap().logon().unwrap().unwrap();
    let [same_user, same_session, listed, any_user] = every_access().map(|access| admitted(&access));
    assert_eq!(same_user.len(), 1);
    assert_eq!(same_session.len(), 2);
    assert_eq!(same_session[0], logon, "the session, in the place of the user");
    assert_eq!(listed[0], same_user[0]);
    assert_eq!(listed.len(), 3);
    assert_eq!(any_user, [&*same_user[0], "AU"]);
}

#[test]
fn only_the_user_and_the_system_have_access_by_default() {
    assert_eq!(
        descriptor_text("S-1-5-21-7", &[]),
        "O:S-1-5-21-7D:P(A;;FA;;;SY)(A;;FA;;;S-1-5-21-7)"
    );
}

#[test]
fn in_a_session_the_user_has_no_right_but_to_look_at_the_list() {
    assert_eq!(
        session_text("S-1-5-21-7", "S-1-5-5-0-9"),
        "O:S-1-5-21-7D:P(A;;FA;;;SY)(A;;FA;;;S-1-5-5-0-9)(A;;RC;;;S-1-3-4)"
    );
}

#[test]
fn a_number_of_unix_is_refused_here() {
    let error = descriptor(&Access::listed([Principal::uid(0)])).unwrap_err();
    let foreign = matches!(
        error,
        DescriptorError::Access(AccessError::ForeignPrincipal { .. })
    );
    assert!(foreign, "{error:?}");
}

#[test]
fn further_clients_cannot_become_servers() {
    let text = descriptor_text("S-1-5-21-7", &["AU"]);
    let rights = text
        .split_once("(A;;0x")
        .and_then(|(_, rest)| rest.split_once(";;;AU)"))
        .unwrap()
        .0;
    let rights = u32::from_str_radix(rights, 16).unwrap();
    assert_eq!(
        rights & windows_sys::Win32::Storage::FileSystem::FILE_CREATE_PIPE_INSTANCE,
        0
    );
}

#[test]
fn the_client_is_told_with_its_groups() {
    let (server, _client) = ends();
    let groups = client_of(&server).groups;
    let everyone = Principal::sid("S-1-1-0").unwrap();
    assert!(groups.contains(everyone.id()), "{groups:?}");
}

#[test]
fn both_ends_know_each_other() {
    let (server, client) = ends();
    let (ours, pid) = (current_account().unwrap(), std::process::id());
    let peer = client_of(&server);
    assert_eq!((&peer.account, peer.pid), (&ours, Some(pid)));
    let peer = server_of(&client).unwrap();
    assert_eq!((&peer.account, peer.pid), (&ours, Some(pid)));
}

#[test]
fn the_client_is_known_after_it_left() {
    let (server, client) = ends();
    drop(client);
    let peer = client_of(&server);
    assert_eq!(
        (peer.account, peer.pid),
        (current_account().unwrap(), Some(std::process::id()))
    );
}

#[tokio::test]
async fn another_accounts_server_is_refused_by_name() {
    let name = fresh_name();
    let _server = Blueprint::new(&name, &ServerOptions::default())
        .unwrap()
        .make(Place::First)
        .unwrap();
    let options = ConnectOptions {
        expect_owner: Owner::Sid("S-1-5-21-1-2-3-4".to_owned()),
        ..ConnectOptions::default()
    };
    match connect_once(&name, &options).await {
        Err(AttemptError::WrongOwner { expected, found }) => {
            assert_eq!(expected, options.expect_owner);
            assert_eq!(found, Account::Windows { sid: own_sid() });
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_name_that_is_taken_cannot_be_taken_again() {
    if skipped_on_wine("FILE_FLAG_FIRST_PIPE_INSTANCE is ignored") {
        return;
    }
    let blueprint = Blueprint::new(&fresh_name(), &ServerOptions::default()).unwrap();
    let _first = blueprint.make(Place::First).unwrap();
    blueprint.make(Place::First).unwrap_err();
}
