//! Handing a pipe over to those who go on with it by other means.

use std::io;
use std::os::windows::io::OwnedHandle;

use rpc_core::transport::PacketReceiver;

use crate::pipe::PipeParts;

/// What the system knows a pipe by.
pub(crate) type OsHandle = OwnedHandle;

/// Takes a receiver apart.
pub(crate) fn into_parts(_receiver: Box<dyn PacketReceiver>) -> io::Result<PipeParts> {
    Err(io::ErrorKind::Unsupported.into())
}
