//! Handing a pipe over to those who go on with it by other means.

use std::any::Any;
use std::io;
use std::os::windows::io::OwnedHandle;

use rpc_core::transport::PacketReceiver;

use super::receiver::Receiver;
use crate::pipe::PipeParts;

/// What the system knows a pipe by. It is open for overlapped operations that are told of by an event, and the system
/// lets it leave neither the completion port it was attached to nor the message mode.
pub(crate) type OsHandle = OwnedHandle;

/// Takes a receiver apart. Waits for the system to give a pending read back, which takes microseconds.
pub(crate) fn into_parts(receiver: Box<dyn PacketReceiver>) -> io::Result<PipeParts> {
    let receiver: Box<dyn Any> = receiver;
    let receiver = receiver.downcast::<Receiver>().map_err(|_| {
        let message = "this pipe is not one of the operating system's";
        io::Error::new(io::ErrorKind::Unsupported, message)
    })?;
    receiver.into_parts()
}
