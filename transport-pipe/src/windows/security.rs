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

use rpc_core::transport::{Account, PeerIdentity};
use windows_sys::Win32::Foundation::ERROR_CANT_OPEN_ANONYMOUS;

use super::file_unsafe::File;
use super::security_unsafe::{Descriptor, client_user, owner_of, process_user};
use crate::access::Access;
use crate::error::NameError;
use crate::name_rules::windows::private_name;

/// Nobody: stands where the system does not tell the account.
const NOBODY: &str = "S-1-0-0";
/// The anonymous account: a client that does not let itself be identified.
const ANONYMOUS: &str = "S-1-5-7";
/// Read, write and wait, without `FILE_CREATE_PIPE_INSTANCE`, the right to become a server of the name.
const FURTHER_CLIENTS: &str = "0x12019b";

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

/// The account this process runs under.
pub(super) fn current_account() -> io::Result<Account> {
    process_user().map(|sid| Account::Windows { sid })
}

/// The descriptor of a server's pipe. Owner and access list name the user itself: the default owner of an elevated
/// process is the group of administrators, and the default list lets everyone read.
pub(super) fn descriptor(access: Access) -> io::Result<Descriptor> {
    Descriptor::parse(&descriptor_text(access, &process_user()?))
}

pub(super) fn descriptor_text(access: Access, user: &str) -> String {
    let own = format!("O:{user}D:P(A;;FA;;;SY)(A;;FA;;;{user})");
    match access {
        Access::SameUser => own,
        // Authenticated users: every account, and neither guests nor the anonymous.
        Access::AnyUser => format!("{own}(A;;{FURTHER_CLIENTS};;;AU)"),
    }
}

/// Who connected to this instance.
pub(super) fn client_of(file: &File) -> PeerIdentity {
    let sid = client_user(file.as_handle()).unwrap_or_else(|error| {
        tracing::debug!(%error, "the system does not tell who the client is");
        let anonymous = error.raw_os_error() == Some(ERROR_CANT_OPEN_ANONYMOUS.cast_signed());
        if anonymous { ANONYMOUS } else { NOBODY }.to_owned()
    });
    identity(sid, file.client_pid().ok())
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
