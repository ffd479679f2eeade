//! Users and groups by name, as the name service switch finds them.

use nix::unistd::{Group, User};
use rpc_core::transport::Principal;

use crate::lookup::LookupError;

pub(crate) fn lookup_user(name: &str) -> Result<Principal, LookupError> {
    let found = User::from_name(name);
    named("user", name, found).map(|user| Principal::uid(user.uid.as_raw()))
}

pub(crate) fn lookup_group(name: &str) -> Result<Principal, LookupError> {
    let found = Group::from_name(name);
    named("group", name, found).map(|group| Principal::gid(group.gid.as_raw()))
}

fn named<T>(kind: &'static str, name: &str, found: nix::Result<Option<T>>) -> Result<T, LookupError> {
    let name = name.to_owned();
    match found {
        Ok(Some(found)) => Ok(found),
        Ok(None) => Err(LookupError::Unknown { kind, name }),
        Err(error) => Err(LookupError::Io {
            kind,
            name,
            source: error.into(),
        }),
    }
}
