//! Accounts, and who may connect.
//!
//! What the system proves, and what it only hints at:
//!
//! - A client's account is proof: the system noted it when the client opened the pipe, and tells it by
//!   `ImpersonateNamedPipeClient`. A client that forbade to be identified is the anonymous account, and one the system
//!   does not tell about is nobody (`S-1-0-0`); neither is ever taken for a user. On Wine it is the server's own.
//! - A server's account is the owner of the pipe, which is proof as well: only the account itself, or one that may
//!   restore backups, can make an object that it owns.
//! - Process ids are hints for logs: an id can be another process' by the time one looks.

use std::io;
use std::os::windows::io::AsHandle;
use std::path::PathBuf;

use rpc_core::transport::{Account, PeerIdentity, Principal, PrincipalId};
use windows_sys::Win32::Foundation::ERROR_CANT_OPEN_ANONYMOUS;

use super::file_unsafe::File;
use super::security_unsafe::{Descriptor, owner_of};
use super::token_unsafe::Token;
use crate::access::{Access, AccessError};
use crate::error::NameError;
use crate::name_rules::windows::{private_name, shared_name};

/// Nobody: stands where the system does not tell the account.
const NOBODY: &str = "S-1-0-0";
/// The anonymous account: a client that does not let itself be identified.
const ANONYMOUS: &str = "S-1-5-7";
/// Read, write and wait, without `FILE_CREATE_PIPE_INSTANCE`, the right to become a server of the name.
const FURTHER_CLIENTS: &str = "0x12019b";
/// Every account that authenticated: neither guests nor the anonymous.
const AUTHENTICATED: &str = "AU";
/// Stands in a list for the owner, in the place of what an owner may do by itself.
const OWNER_RIGHTS: &str = "S-1-3-4";

/// The path of this user's pipe of that plain name. The user's identifier in it keeps two users' pipes apart; it is no
/// protection, which is the access list's and the client's look at the owner.
pub(crate) fn private_path(name: &str) -> Result<PathBuf, NameError> {
    let no_place = |source| NameError::NoPlace {
        place: private_name("(this user)", name).into(),
        source,
    };
    let sid = process_user().map_err(no_place)?;
    Ok(private_name(&sid, name).into())
}

/// The path of the pipe that has this shared name.
pub(crate) fn shared_path(name: &str) -> PathBuf {
    shared_name(name).into()
}

/// Names need no place here.
pub(crate) fn prepare_shared_place() -> Result<(), NameError> {
    Ok(())
}

/// The account this process runs under.
pub(super) fn current_account() -> io::Result<Account> {
    process_user().map(|sid| Account::Windows { sid })
}

fn process_user() -> io::Result<String> {
    Token::of_process()?.user()
}

/// Why there is no descriptor.
#[derive(Debug)]
pub(super) enum DescriptorError {
    /// What was asked for cannot be had.
    Access(AccessError),
    /// What the system said.
    System(io::Error),
}

impl From<AccessError> for DescriptorError {
    fn from(error: AccessError) -> Self {
        Self::Access(error)
    }
}

impl From<io::Error> for DescriptorError {
    fn from(error: io::Error) -> Self {
        Self::System(error)
    }
}

/// The descriptor of a server's pipe.
pub(super) fn descriptor(access: &Access) -> Result<Descriptor, DescriptorError> {
    let token = Token::of_process()?;
    let user = token.user()?;
    let text = match access {
        Access::SameUser => descriptor_text(&user, &[]),
        Access::SameSession => session_text(&user, &token.logon()?.ok_or(AccessError::NoSession)?),
        Access::Listed(principals) => descriptor_text(&user, &identifiers(principals)?),
        Access::AnyUser => descriptor_text(&user, &[AUTHENTICATED]),
    };
    Ok(Descriptor::parse(&text)?)
}

/// Owner and access list name the user itself: the default owner of an elevated process is the group of
/// administrators, and the default list lets everyone read.
pub(super) fn descriptor_text(user: &str, further: &[&str]) -> String {
    let own = format!("O:{user}D:P(A;;FA;;;SY)(A;;FA;;;{user})");
    further
        .iter()
        .fold(own, |text, sid| format!("{text}(A;;{FURTHER_CLIENTS};;;{sid})"))
}

/// The logon session stands in the place of the user, whose right as the owner to change the list is taken away.
pub(super) fn session_text(user: &str, logon: &str) -> String {
    format!("O:{user}D:P(A;;FA;;;SY)(A;;FA;;;{logon})(A;;RC;;;{OWNER_RIGHTS})")
}

fn identifiers(principals: &[Principal]) -> Result<Vec<&str>, AccessError> {
    principals.iter().map(identifier).collect()
}

fn identifier(principal: &Principal) -> Result<&str, AccessError> {
    match principal.id() {
        PrincipalId::Sid(sid) => Ok(sid),
        _ => Err(AccessError::ForeignPrincipal {
            principal: principal.clone(),
            form: "users and groups have security identifiers here, `S-1-…`",
        }),
    }
}

/// Who connected to this instance, with all groups.
pub(super) fn client_of(file: &File) -> PeerIdentity {
    let told = Token::of_client(file.as_handle()).and_then(|token| Ok((token.user()?, token.groups()?)));
    let (sid, groups) = told.unwrap_or_else(|error| {
        tracing::debug!(%error, "the system does not tell who the client is");
        let anonymous = error.raw_os_error() == Some(ERROR_CANT_OPEN_ANONYMOUS.cast_signed());
        let sid = if anonymous { ANONYMOUS } else { NOBODY };
        (sid.to_owned(), Vec::new())
    });
    let groups = groups.into_iter().map(PrincipalId::Sid).collect();
    identity(sid, file.client_pid().ok()).with_groups(groups)
}

/// Whose server this is.
pub(super) fn server_of(file: &File) -> io::Result<PeerIdentity> {
    let sid = owner_of(file.as_handle())?;
    Ok(identity(sid, file.server_pid().ok()))
}

fn identity(sid: String, pid: Option<u32>) -> PeerIdentity {
    let same_user = process_user().is_ok_and(|ours| ours == sid);
    let peer = PeerIdentity::new(Account::Windows { sid }, pid);
    if same_user { peer.of_same_user() } else { peer }
}
