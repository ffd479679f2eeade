//! A named pipe in message mode with overlapped I/O; who asks for something waits for it.
#![expect(unsafe_code, reason = "std has neither named pipes nor overlapped I/O")]

use std::fs::OpenOptions;
use std::io;
use std::mem;
use std::os::windows::ffi::OsStrExt;
use std::os::windows::fs::OpenOptionsExt;
use std::os::windows::io::{AsRawHandle, FromRawHandle, OwnedHandle};
use std::path::Path;
use std::ptr::{null, null_mut};
use std::thread;

use windows_sys::Win32::Foundation::{
    ERROR_BROKEN_PIPE, ERROR_IO_PENDING, ERROR_PIPE_BUSY, ERROR_PIPE_CONNECTED, HANDLE, INVALID_HANDLE_VALUE,
    TRUE,
};
use windows_sys::Win32::Storage::FileSystem::{
    FILE_FLAG_OVERLAPPED, PIPE_ACCESS_DUPLEX, ReadFile, WriteFile,
};
use windows_sys::Win32::System::IO::{GetOverlappedResult, OVERLAPPED};
use windows_sys::Win32::System::Pipes::{
    ConnectNamedPipe, CreateNamedPipeW, PIPE_READMODE_MESSAGE, PIPE_REJECT_REMOTE_CLIENTS, PIPE_TYPE_MESSAGE,
    PIPE_UNLIMITED_INSTANCES, SetNamedPipeHandleState,
};
use windows_sys::Win32::System::Threading::CreateEventW;
use windows_sys::core::BOOL;

use crate::rows::bare_waiting::PACKET;

/// Room for some packets, as the sockets of Linux have it.
const BUFFER: u32 = 6 * PACKET as u32;

/// Where clients come in.
pub(crate) struct Listener {
    /// In UTF-16, with a 0 at its end.
    name: Vec<u16>,
    /// There before the one in front of it is handed out, so that the name is always there.
    next: Pipe,
}

impl Listener {
    pub(crate) fn bind(path: &Path) -> io::Result<Self> {
        let name: Vec<u16> = path.as_os_str().encode_wide().chain([0]).collect();
        let next = instance(&name)?;
        Ok(Self { name, next })
    }

    pub(crate) fn accept(&mut self) -> io::Result<Pipe> {
        // SAFETY: the pipe and its record live until `finished` returns.
        let connected = self
            .next
            .finished(|file, record| unsafe { ConnectNamedPipe(file, record) });
        if let Err(error) = connected
            && !is(&error, ERROR_PIPE_CONNECTED)
        {
            return Err(error);
        }
        let next = instance(&self.name)?;
        Ok(mem::replace(&mut self.next, next))
    }
}

fn instance(name: &[u16]) -> io::Result<Pipe> {
    let mode = PIPE_TYPE_MESSAGE | PIPE_READMODE_MESSAGE | PIPE_REJECT_REMOTE_CLIENTS;
    let access = PIPE_ACCESS_DUPLEX | FILE_FLAG_OVERLAPPED;
    // SAFETY: the name ends with a 0, and is there during the call.
    let file = unsafe {
        CreateNamedPipeW(
            name.as_ptr(),
            access,
            mode,
            PIPE_UNLIMITED_INSTANCES,
            BUFFER,
            BUFFER,
            0,
            null(),
        )
    };
    if file == INVALID_HANDLE_VALUE {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: the handle is new, and nobody else has it.
    Pipe::new(unsafe { OwnedHandle::from_raw_handle(file) })
}

/// One end. It has one operation under way at a time, because they share the event: hence `&mut self`.
pub(crate) struct Pipe {
    file: OwnedHandle,
    /// Signalled when the operation has ended.
    event: OwnedHandle,
}

impl Pipe {
    /// Asks again while all instances are taken.
    pub(crate) fn connect(path: &Path) -> io::Result<Self> {
        let mut options = OpenOptions::new();
        options.read(true).write(true).custom_flags(FILE_FLAG_OVERLAPPED);
        let file = loop {
            match options.open(path) {
                Err(error) if is(&error, ERROR_PIPE_BUSY) => thread::yield_now(),
                opened => break opened?,
            }
        };
        // SAFETY: the file is open, and the mode is there during the call.
        let set =
            unsafe { SetNamedPipeHandleState(file.as_raw_handle(), &PIPE_READMODE_MESSAGE, null(), null()) };
        succeeded(set)?;
        Self::new(file.into())
    }

    fn new(file: OwnedHandle) -> io::Result<Self> {
        // SAFETY: it has no name and the usual access.
        let event = unsafe { CreateEventW(null(), TRUE, 0, null()) };
        if event.is_null() {
            return Err(io::Error::last_os_error());
        }
        // SAFETY: the handle is new, and nobody else has it.
        let event = unsafe { OwnedHandle::from_raw_handle(event) };
        Ok(Self { file, event })
    }

    pub(crate) fn send(&mut self, packet: &[u8]) -> io::Result<()> {
        let len = length(packet);
        // SAFETY: the packet and the record live until `finished` returns.
        self.finished(|file, record| unsafe { WriteFile(file, packet.as_ptr(), len, null_mut(), record) })?;
        Ok(())
    }

    /// The length of the next packet, which has to fit; 0 at the end.
    pub(crate) fn recv(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let len = length(buffer);
        // SAFETY: the buffer and the record live until `finished` returns.
        let read = self
            .finished(|file, record| unsafe { ReadFile(file, buffer.as_mut_ptr(), len, null_mut(), record) });
        match read {
            Err(error) if is(&error, ERROR_BROKEN_PIPE) => Ok(0),
            read => read,
        }
    }

    /// Starts an operation, and waits until it has ended: nothing of it is used by the system any more then. Says how
    /// many bytes it moved.
    fn finished(&mut self, start: impl FnOnce(HANDLE, *mut OVERLAPPED) -> BOOL) -> io::Result<usize> {
        let file = self.file.as_raw_handle();
        let mut record = OVERLAPPED {
            hEvent: self.event.as_raw_handle(),
            ..OVERLAPPED::default()
        };
        let record = &raw mut record;
        match succeeded(start(file, record)) {
            Err(error) if !is(&error, ERROR_IO_PENDING) => return Err(error),
            _ => {}
        }
        let mut len = 0;
        // SAFETY: the operation was started on this file, with this record, which is still there.
        succeeded(unsafe { GetOverlappedResult(file, record, &mut len, TRUE) })?;
        Ok(len as usize)
    }
}

fn succeeded(result: BOOL) -> io::Result<()> {
    match result {
        0 => Err(io::Error::last_os_error()),
        _ => Ok(()),
    }
}

fn is(error: &io::Error, code: u32) -> bool {
    error.raw_os_error() == Some(code.cast_signed())
}

/// Of a buffer; the system takes no more than it can say.
fn length(buffer: &[u8]) -> u32 {
    u32::try_from(buffer.len()).unwrap_or(u32::MAX)
}
