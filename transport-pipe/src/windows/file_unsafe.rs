//! One end of a named pipe as the system sees it: an owned handle, and a function for each call on it.
#![allow(unsafe_code)]

use std::io;
use std::os::windows::io::{AsHandle, AsRawHandle, BorrowedHandle, FromRawHandle, OwnedHandle, RawHandle};
use std::ptr::{null, null_mut};

use windows_sys::Win32::Foundation::{HANDLE, INVALID_HANDLE_VALUE};
use windows_sys::Win32::Security::SECURITY_ATTRIBUTES;
use windows_sys::Win32::Storage::FileSystem::{
    CreateFileW, FILE_FLAG_FIRST_PIPE_INSTANCE, FILE_FLAG_OVERLAPPED, FILE_GENERIC_READ,
    FILE_WRITE_ATTRIBUTES, FILE_WRITE_DATA, OPEN_EXISTING, PIPE_ACCESS_DUPLEX, SECURITY_IDENTIFICATION,
    SECURITY_SQOS_PRESENT,
};
use windows_sys::Win32::System::IO::CancelIoEx;
use windows_sys::Win32::System::Pipes::{
    CreateNamedPipeW, GetNamedPipeClientProcessId, GetNamedPipeInfo, GetNamedPipeServerProcessId,
    PIPE_READMODE_MESSAGE, PIPE_REJECT_REMOTE_CLIENTS, PIPE_TYPE_MESSAGE, PIPE_UNLIMITED_INSTANCES,
    PIPE_WAIT, SetNamedPipeHandleState,
};
use windows_sys::core::BOOL;

use super::engine::{self, Key};
use super::operation_unsafe::OperationId;
use super::security_unsafe::Descriptor;

/// One end of a named pipe, attached to the engine. Closed when the last reference is gone, and each operation under
/// way holds one.
#[derive(Debug)]
pub(super) struct File {
    handle: OwnedHandle,
    key: Key,
}

/// Whether an instance must be the first of its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// The name must be free.
    First,
    /// The name is ours already.
    Further,
}

impl File {
    /// Makes an instance of the pipe called `name`, which ends in a NUL.
    pub(super) fn create(
        name: &[u16],
        place: Place,
        quota: u32,
        descriptor: &Descriptor,
    ) -> io::Result<Self> {
        debug_assert_eq!(name.last(), Some(&0), "the system reads up to a NUL");
        let first = match place {
            Place::First => FILE_FLAG_FIRST_PIPE_INSTANCE,
            Place::Further => 0,
        };
        let attributes = SECURITY_ATTRIBUTES {
            nLength: size_of::<SECURITY_ATTRIBUTES>() as u32,
            lpSecurityDescriptor: descriptor.as_ptr(),
            bInheritHandle: 0,
        };
        // SAFETY: the name ends in a NUL, and the attributes and their descriptor live until the call returns.
        let handle = unsafe {
            CreateNamedPipeW(
                name.as_ptr(),
                PIPE_ACCESS_DUPLEX | FILE_FLAG_OVERLAPPED | first,
                PIPE_TYPE_MESSAGE | PIPE_READMODE_MESSAGE | PIPE_WAIT | PIPE_REJECT_REMOTE_CLIENTS,
                PIPE_UNLIMITED_INSTANCES,
                quota,
                quota,
                0,
                &raw const attributes,
            )
        };
        Self::attached(own(handle)?)
    }

    /// Opens the client's end of the pipe called `name`, which ends in a NUL.
    ///
    /// The server may learn who we are, and cannot act in our name. `FILE_APPEND_DATA`, which `GENERIC_WRITE` has in
    /// it, is not asked for: on a pipe it is the right to become its server.
    pub(super) fn open(name: &[u16]) -> io::Result<Self> {
        debug_assert_eq!(name.last(), Some(&0), "the system reads up to a NUL");
        // SAFETY: the name ends in a NUL; null attributes make a handle that no child inherits.
        let handle = unsafe {
            CreateFileW(
                name.as_ptr(),
                FILE_GENERIC_READ | FILE_WRITE_DATA | FILE_WRITE_ATTRIBUTES,
                0,
                null(),
                OPEN_EXISTING,
                FILE_FLAG_OVERLAPPED | SECURITY_SQOS_PRESENT | SECURITY_IDENTIFICATION,
                null_mut(),
            )
        };
        Self::attached(own(handle)?)
    }

    fn attached(handle: OwnedHandle) -> io::Result<Self> {
        let key = engine::attach(&handle)?;
        Ok(Self { handle, key })
    }

    /// Makes reads end where messages end.
    pub(super) fn read_messages(&self) -> io::Result<()> {
        let mode = PIPE_READMODE_MESSAGE;
        // SAFETY: the handle is open, the mode lives until the call returns, and null leaves the rest as it is.
        check(unsafe { SetNamedPipeHandleState(self.as_raw_handle(), &raw const mode, null(), null()) })
    }

    /// Whether the pipe keeps messages apart.
    pub(super) fn is_message_type(&self) -> io::Result<bool> {
        let mut flags = 0;
        // SAFETY: the handle is open, the flags live until the call returns, and null asks for nothing.
        check(unsafe {
            GetNamedPipeInfo(
                self.as_raw_handle(),
                &raw mut flags,
                null_mut(),
                null_mut(),
                null_mut(),
            )
        })?;
        Ok(flags & PIPE_TYPE_MESSAGE != 0)
    }

    /// The process that opened the client's end; also after it closed it.
    pub(super) fn client_pid(&self) -> io::Result<u32> {
        let mut pid = 0;
        // SAFETY: the handle is open and the number lives until the call returns.
        check(unsafe { GetNamedPipeClientProcessId(self.as_raw_handle(), &raw mut pid) })?;
        Ok(pid)
    }

    /// The process that made the server's end.
    pub(super) fn server_pid(&self) -> io::Result<u32> {
        let mut pid = 0;
        // SAFETY: the handle is open and the number lives until the call returns.
        check(unsafe { GetNamedPipeServerProcessId(self.as_raw_handle(), &raw mut pid) })?;
        Ok(pid)
    }

    /// Another handle of the same end, for somebody else. No operation of ours may be under way or follow.
    pub(super) fn hand_over(&self) -> io::Result<OwnedHandle> {
        let handle = self.handle.try_clone()?;
        engine::let_go(self.key);
        Ok(handle)
    }

    /// Asks for everything under way on this file to be given up. Each operation still completes, some with success.
    pub(super) fn cancel_all(&self) {
        // SAFETY: the handle is open; null means every operation. That there is none left is no failure.
        unsafe { CancelIoEx(self.as_raw_handle(), null()) };
    }

    /// Asks for one operation to be given up. It still completes, and it may do so with success.
    pub(super) fn cancel(&self, operation: OperationId) {
        // SAFETY: the handle is open; the record's address is compared and never followed.
        unsafe { CancelIoEx(self.as_raw_handle(), operation.0 as *const _) };
    }
}

impl AsRawHandle for File {
    fn as_raw_handle(&self) -> RawHandle {
        self.handle.as_raw_handle()
    }
}

impl AsHandle for File {
    fn as_handle(&self) -> BorrowedHandle<'_> {
        self.handle.as_handle()
    }
}

fn own(handle: HANDLE) -> io::Result<OwnedHandle> {
    if handle == INVALID_HANDLE_VALUE {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: it was just made, is valid, and nobody else has it.
    Ok(unsafe { OwnedHandle::from_raw_handle(handle as RawHandle) })
}

fn check(succeeded: BOOL) -> io::Result<()> {
    if succeeded == 0 {
        Err(io::Error::last_os_error())
    } else {
        Ok(())
    }
}
