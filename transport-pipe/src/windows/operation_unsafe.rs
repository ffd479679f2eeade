//! One overlapped operation: the kernel's record of it and its buffer, in one heap block that belongs to the operation.
//!
//! While the system works on it the block belongs to nobody else: it is leaked before the call, and comes back from
//! the call itself or from the completion, whichever the call's answer says. Nothing else decides, and nobody looks
//! at it in between; the completion may run on the port's thread before the call has returned.
#![allow(unsafe_code)]

use std::ops::Range;
use std::os::windows::io::AsRawHandle;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use windows_sys::Win32::Foundation::{
    ERROR_IO_PENDING, ERROR_MORE_DATA, ERROR_SUCCESS, GetLastError, RtlNtStatusToDosError,
};
use windows_sys::Win32::Storage::FileSystem::{ReadFile, WriteFile};
use windows_sys::Win32::System::IO::OVERLAPPED;
use windows_sys::Win32::System::Pipes::ConnectNamedPipe;
use windows_sys::core::BOOL;

use super::buffer::Buffer;
use super::file_unsafe::File;

/// An operation that is not under way.
pub(super) struct Operation(Box<Block>);

// The completion's pointer is that of the block, so the record comes first.
#[repr(C)]
struct Block {
    record: OVERLAPPED,
    buffer: Buffer,
    /// What the completion needs, there while the operation is under way. It keeps the handle open until then: a
    /// handle closed earlier could be another file's by the time the operation ends.
    pending: Option<(Arc<File>, Arc<dyn Target>)>,
}

// SAFETY: the record's event is null and its pointers are never followed; all else in the block is `Send`.
unsafe impl Send for Operation {}

/// Which operation is under way, to ask for its cancellation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct OperationId(pub(super) usize);

/// What is told of a completion.
pub(super) trait Target: Send + Sync + 'static {
    /// Takes the operation back. Runs on the port's thread, possibly before the submitting call has returned, and
    /// must not block.
    fn complete(self: Arc<Self>, operation: Operation, outcome: Outcome);
}

/// How an operation ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    /// So many bytes were transferred, up to the end of the message.
    Done(usize),
    /// So many bytes were read, and the message has more.
    More(usize),
    /// The system's error code.
    Failed(u32),
}

/// What a submitting call said.
pub(super) enum Submitted {
    /// It is over; no completion comes.
    Now(Operation, Outcome),
    /// A completion brings it back.
    Pending(OperationId),
}

impl Operation {
    /// One that never ran.
    pub(super) fn new(buffer: Buffer) -> Self {
        Self(Box::new(Block {
            record: OVERLAPPED::default(),
            buffer,
            pending: None,
        }))
    }

    /// Its memory.
    pub(super) fn buffer(&mut self) -> &mut Buffer {
        &mut self.0.buffer
    }

    /// Reads into that part of the buffer.
    ///
    /// # Panics
    /// If the buffer is smaller.
    pub(super) fn read(
        mut self,
        place: Range<usize>,
        file: &Arc<File>,
        target: Arc<dyn Target>,
    ) -> Submitted {
        let place = &mut self.buffer().bytes()[place];
        let (start, len) = (place.as_mut_ptr(), length(place));
        self.submit(file, target, |handle, record| {
            // SAFETY: the bytes and the record are in the leaked block, which lives until the operation has ended.
            unsafe { ReadFile(handle, start, len, std::ptr::null_mut(), record) }
        })
    }

    /// Writes the first `len` bytes of the buffer as one message.
    ///
    /// # Panics
    /// If the buffer is smaller.
    pub(super) fn write(mut self, len: usize, file: &Arc<File>, target: Arc<dyn Target>) -> Submitted {
        let message = &self.buffer().bytes()[..len];
        let (start, len) = (message.as_ptr(), length(message));
        self.submit(file, target, |handle, record| {
            // SAFETY: the bytes and the record are in the leaked block, which lives until the operation has ended.
            unsafe { WriteFile(handle, start, len, std::ptr::null_mut(), record) }
        })
    }

    /// Waits for a client on a server's instance.
    pub(super) fn connect(self, file: &Arc<File>, target: Arc<dyn Target>) -> Submitted {
        self.submit(file, target, |handle, record| {
            // SAFETY: the record is in the leaked block, which lives until the operation has ended.
            unsafe { ConnectNamedPipe(handle, record) }
        })
    }

    fn submit(
        mut self,
        file: &Arc<File>,
        target: Arc<dyn Target>,
        call: impl FnOnce(*mut std::ffi::c_void, *mut OVERLAPPED) -> BOOL,
    ) -> Submitted {
        self.0.record = OVERLAPPED::default();
        self.0.pending = Some((Arc::clone(file), target));
        let block = Box::into_raw(self.0);
        let succeeded = call(file.as_raw_handle(), block.cast()) != 0;
        let code = match succeeded {
            true => ERROR_SUCCESS,
            // SAFETY: always sound; it reads the thread's last error, which nothing has changed since the call.
            false => unsafe { GetLastError() },
        };
        if code == ERROR_IO_PENDING {
            return Submitted::Pending(OperationId(block.addr()));
        }
        // SAFETY: leaked above, and any answer but "pending" means that no completion comes, as the file was attached
        // to the port with completions of immediate successes skipped.
        let mut operation = Self(unsafe { Box::from_raw(block) });
        operation.0.pending = None;
        let transferred = operation.0.record.InternalHigh;
        Submitted::Now(operation, Outcome::new(code, transferred))
    }

    /// Takes back the operation a completion is about and tells its target.
    ///
    /// # Safety
    /// `record` was just taken off the port, which gives each submitted operation once.
    pub(super) unsafe fn completed(record: *mut OVERLAPPED, transferred: u32) {
        // SAFETY: `submit` leaked this block, the record is its first field, and the call that left it to the
        // completion did not take it back.
        let mut operation = Self(unsafe { Box::from_raw(record.cast::<Block>()) });
        #[expect(
            clippy::cast_possible_truncation,
            reason = "the system keeps an NTSTATUS, 32 bits, in a usize"
        )]
        let status = operation.0.record.Internal as i32;
        // SAFETY: always sound; it looks the status up in a table.
        let code = unsafe { RtlNtStatusToDosError(status) };
        let (file, target) = operation
            .0
            .pending
            .take()
            .expect("`submit` sets it before each call");
        // First the file, so that a target that frees the last other reference really closes it.
        drop(file);
        let outcome = Outcome::new(code, transferred as usize);
        // A waker may be anybody's; its panic, which was printed, must not end the thread that every pipe lives by.
        drop(catch_unwind(AssertUnwindSafe(|| {
            target.complete(operation, outcome);
        })));
    }
}

impl Outcome {
    fn new(code: u32, transferred: usize) -> Self {
        match code {
            ERROR_SUCCESS => Self::Done(transferred),
            ERROR_MORE_DATA => Self::More(transferred),
            code => Self::Failed(code),
        }
    }
}

fn length(bytes: &[u8]) -> u32 {
    u32::try_from(bytes.len()).expect("no buffer is larger than the largest packet, 192 KiB")
}
