//! The client's end: one attempt to open it, and the look at whose it is.
//!
//! `WaitNamedPipe` is not used: it blocks a thread, reserves nothing, and fails where pipes are virtual.

use std::io;
use std::sync::Arc;

use rpc_core::transport::Link;
use windows_sys::Win32::Foundation::{ERROR_FILE_NOT_FOUND, ERROR_PIPE_BUSY};

use super::file_unsafe::File;
use super::instance::system_name;
use super::link::link;
use super::security;
use crate::error::AttemptError;
use crate::name::NativeName;
use crate::options::ConnectOptions;

/// One attempt, without waiting beyond what the system call itself needs.
pub(crate) async fn connect_once(name: &NativeName, options: &ConnectOptions) -> Result<Link, AttemptError> {
    let file = File::open(&system_name(name)).map_err(open_failure)?;
    let peer = security::server_of(&file)?;
    let ours = security::current_account()?;
    if !options.expect_owner.is(&peer.account, &ours) {
        return Err(AttemptError::WrongOwner {
            expected: options.expect_owner.clone(),
            found: peer.account,
        });
    }
    if !file.is_message_type()? {
        let text = "the pipe is of byte type and does not keep packets apart: its server is not of this kind";
        return Err(io::Error::new(io::ErrorKind::InvalidData, text).into());
    }
    file.read_messages()?;
    Ok(link(Arc::new(file), peer, options.max_packet, None))
}

fn open_failure(error: io::Error) -> AttemptError {
    match error.raw_os_error().map(i32::cast_unsigned) {
        Some(ERROR_PIPE_BUSY) => AttemptError::Busy,
        Some(ERROR_FILE_NOT_FOUND) => AttemptError::NotFound,
        _ => AttemptError::Failed(error),
    }
}
