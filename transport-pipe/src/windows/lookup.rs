//! Users and groups by name, as this computer and its domain have them, and programs by their process.

use std::path::PathBuf;

use rpc_core::transport::Principal;
use windows_sys::Win32::Foundation::ERROR_NONE_MAPPED;
use windows_sys::Win32::Security::{
    SID_NAME_USE, SidTypeAlias, SidTypeGroup, SidTypeUser, SidTypeWellKnownGroup,
};

use super::lookup_unsafe::{account_named, executable_of};
use crate::lookup::LookupError;

pub(crate) fn lookup_user(name: &str) -> Result<Principal, LookupError> {
    lookup("user", name, &[SidTypeUser])
}

pub(crate) fn lookup_group(name: &str) -> Result<Principal, LookupError> {
    lookup(
        "group",
        name,
        &[SidTypeGroup, SidTypeAlias, SidTypeWellKnownGroup],
    )
}

/// The program a process runs, while it does and we may see it.
pub(crate) fn executable(pid: u32) -> Option<PathBuf> {
    executable_of(pid).ok()
}

fn lookup(kind: &'static str, name: &str, kinds: &[SID_NAME_USE]) -> Result<Principal, LookupError> {
    let unknown = || LookupError::Unknown {
        kind,
        name: name.to_owned(),
    };
    let failed = |source| LookupError::Io {
        kind,
        name: name.to_owned(),
        source,
    };
    // A NUL would end the name early in the system's eyes, and an empty one is this computer's.
    if name.is_empty() || name.contains('\0') {
        return Err(unknown());
    }
    let (sid, found) = account_named(name).map_err(|source| {
        let nobody = source.raw_os_error() == Some(ERROR_NONE_MAPPED.cast_signed());
        if nobody { unknown() } else { failed(source) }
    })?;
    if !kinds.contains(&found) {
        let name = name.to_owned();
        return Err(LookupError::AnotherKind { kind, name });
    }
    Principal::sid(sid).map_err(|error| failed(std::io::Error::other(error)))
}
