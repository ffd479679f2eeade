//! Users and groups by their names, and programs by their process.

use std::io;
use std::path::PathBuf;

use rpc_core::transport::{PeerIdentity, Principal};
use thiserror::Error;

use crate::sys;

/// The user of that name, as the system's accounts have it now. On Windows `NAME`, `DOMAIN\NAME` or `NAME@DOMAIN`.
///
/// It may block while the system asks a directory service, so look names up before the server serves.
///
/// # Errors
/// If there is no such user, or the accounts cannot be read.
pub fn user_named(name: impl AsRef<str>) -> Result<Principal, LookupError> {
    let name = name.as_ref();
    let found = sys::lookup_user(name)?;
    Ok(found.with_name(format!("user {name}")))
}

/// The group of that name, as [`user_named`] finds users.
///
/// # Errors
/// If there is no such group, or the accounts cannot be read.
pub fn group_named(name: impl AsRef<str>) -> Result<Principal, LookupError> {
    let name = name.as_ref();
    let found = sys::lookup_group(name)?;
    Ok(found.with_name(format!("group {name}")))
}

/// The program that the peer's process runs, where the system tells it: on Linux and Windows, and mostly of the same
/// user's processes only.
///
/// **For logs only.** By the time this is asked, the peer may run another program, or its process id may be another
/// process'. Whoever decides by it decides by what a peer can choose.
#[must_use]
pub fn executable_for_logs(peer: &PeerIdentity) -> Option<PathBuf> {
    sys::executable(peer.pid?)
}

/// A name that is no user's or no group's.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum LookupError {
    /// Nobody has the name.
    #[error("this computer knows no {kind} `{name}`: create it, or correct the name")]
    Unknown {
        /// `user` or `group`.
        kind: &'static str,
        /// The name.
        name: String,
    },
    /// A user was asked for and it is a group's name, or the other way round.
    #[error("`{name}` is not the name of a {kind} but of something else: name a {kind}")]
    AnotherKind {
        /// `user` or `group`.
        kind: &'static str,
        /// The name.
        name: String,
    },
    /// The system's accounts could not be read.
    #[error("the {kind} `{name}` could not be looked up")]
    Io {
        /// `user` or `group`.
        kind: &'static str,
        /// The name.
        name: String,
        /// What the system said.
        source: io::Error,
    },
}
