//! The completion port: what files are attached to and operations come back from.
#![allow(unsafe_code)]

use std::io;
use std::os::windows::io::{AsRawHandle, FromRawHandle, OwnedHandle};
use std::ptr::{null, null_mut};
use std::time::Duration;

use windows_sys::Win32::Foundation::{INVALID_HANDLE_VALUE, WAIT_TIMEOUT};
use windows_sys::Win32::Storage::FileSystem::SetFileCompletionNotificationModes;
use windows_sys::Win32::System::IO::{
    CreateIoCompletionPort, GetQueuedCompletionStatusEx, OVERLAPPED_ENTRY, PostQueuedCompletionStatus,
};
use windows_sys::Win32::System::Threading::INFINITE;
use windows_sys::Win32::System::WindowsProgramming::{
    FILE_SKIP_COMPLETION_PORT_ON_SUCCESS, FILE_SKIP_SET_EVENT_ON_HANDLE,
};

use super::operation_unsafe::Operation;

/// How many completions are taken in one go.
const BATCH: usize = 64;

/// A completion port.
pub(super) struct Port(OwnedHandle);

impl Port {
    /// Makes one that a single thread waits on.
    pub(super) fn new() -> io::Result<Self> {
        // SAFETY: without a file it makes a new port and touches nothing.
        let port = unsafe { CreateIoCompletionPort(INVALID_HANDLE_VALUE, null_mut(), 0, 1) };
        if port.is_null() {
            return Err(io::Error::last_os_error());
        }
        // SAFETY: it was just made, is valid, and nobody else has it.
        Ok(Self(unsafe { OwnedHandle::from_raw_handle(port) }))
    }

    /// Makes operations on the file complete here, with that key, except those that are over when the call returns.
    pub(super) fn attach(&self, file: &OwnedHandle, key: usize) -> io::Result<()> {
        // SAFETY: both handles are open for the length of the call.
        let port = unsafe { CreateIoCompletionPort(file.as_raw_handle(), self.0.as_raw_handle(), key, 0) };
        if port.is_null() {
            return Err(io::Error::last_os_error());
        }
        #[expect(clippy::cast_possible_truncation, reason = "the flags are 1 and 2")]
        let flags = (FILE_SKIP_COMPLETION_PORT_ON_SUCCESS | FILE_SKIP_SET_EVENT_ON_HANDLE) as u8;
        // SAFETY: the handle is open for the length of the call.
        let set = unsafe { SetFileCompletionNotificationModes(file.as_raw_handle(), flags) };
        if set == 0 {
            Err(io::Error::last_os_error())
        } else {
            Ok(())
        }
    }

    /// Ends the wait of [`run_once`](Self::run_once) early.
    pub(super) fn wake(&self) -> io::Result<()> {
        // SAFETY: the port is open; the null record tells that no operation is meant.
        let posted = unsafe { PostQueuedCompletionStatus(self.0.as_raw_handle(), 0, 0, null()) };
        if posted == 0 {
            Err(io::Error::last_os_error())
        } else {
            Ok(())
        }
    }

    /// Waits, at most so long, and completes each operation that ended, but for files whose key is no longer ours. For
    /// the engine's thread alone.
    pub(super) fn run_once(
        &self,
        timeout: Option<Duration>,
        is_ours: impl Fn(usize) -> bool,
    ) -> io::Result<()> {
        let mut entries = [OVERLAPPED_ENTRY::default(); BATCH];
        let taken = self.wait(&mut entries, timeout)?;
        for entry in &entries[..taken] {
            if !entry.lpOverlapped.is_null() && is_ours(entry.lpCompletionKey) {
                // SAFETY: only `Operation` submits on files that are ours, and the port gives each completion once.
                unsafe { Operation::completed(entry.lpOverlapped, entry.dwNumberOfBytesTransferred) };
            }
        }
        Ok(())
    }

    fn wait(&self, entries: &mut [OVERLAPPED_ENTRY; BATCH], timeout: Option<Duration>) -> io::Result<usize> {
        // Rounded up, lest the last fraction of a millisecond be spent in a loop.
        let millis =
            |timeout: Duration| u32::try_from(timeout.as_micros().div_ceil(1000)).unwrap_or(INFINITE - 1);
        let millis = timeout.map_or(INFINITE, millis);
        let mut taken = 0;
        // SAFETY: the port is open and there is room for as many entries as are asked for.
        let succeeded = unsafe {
            GetQueuedCompletionStatusEx(
                self.0.as_raw_handle(),
                entries.as_mut_ptr(),
                BATCH as u32,
                &raw mut taken,
                millis,
                0,
            )
        };
        if succeeded != 0 {
            return Ok(taken as usize);
        }
        let error = io::Error::last_os_error();
        let timed_out = error.raw_os_error() == Some(WAIT_TIMEOUT.cast_signed());
        if timed_out { Ok(0) } else { Err(error) }
    }
}
