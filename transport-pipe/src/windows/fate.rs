//! How a direction of a pipe came to its end.

use std::io;

use windows_sys::Win32::Foundation::{
    ERROR_BROKEN_PIPE, ERROR_NO_DATA, ERROR_OPERATION_ABORTED, ERROR_PIPE_NOT_CONNECTED,
};

/// How a direction of a pipe came to its end; told by every later call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fate {
    /// The peer closed its end, and everything it wrote was read.
    Ended,
    /// The peer's end is gone; what is written from now on nobody reads.
    Broken,
    /// The peer's system threw away what was under way.
    Reset,
    /// This end was closed.
    Closed,
    /// The peer went away in the middle of a packet.
    Torn,
    /// A packet was larger than the limit.
    Oversized {
        /// The limit, in bytes.
        limit: usize,
    },
    /// A packet was empty: neither data nor the end.
    Empty,
    /// The system's error code.
    Other(u32),
}

impl Fate {
    /// What the error code of a read means.
    pub(super) fn of_read(code: u32) -> Self {
        match code {
            ERROR_BROKEN_PIPE => Self::Ended,
            code => Self::of_any(code),
        }
    }

    /// What the error code of a write means.
    pub(super) fn of_write(code: u32) -> Self {
        match code {
            ERROR_BROKEN_PIPE => Self::Broken,
            code => Self::of_any(code),
        }
    }

    fn of_any(code: u32) -> Self {
        match code {
            ERROR_NO_DATA => Self::Broken,
            ERROR_PIPE_NOT_CONNECTED => Self::Reset,
            ERROR_OPERATION_ABORTED => Self::Closed,
            code => Self::Other(code),
        }
    }

    /// The error to report; the caller has dealt with the end that is none.
    pub(super) fn error(self) -> io::Error {
        use io::ErrorKind::{BrokenPipe, ConnectionReset, InvalidData};
        let (kind, text) = match self {
            Self::Ended | Self::Broken => (BrokenPipe, "the peer closed the pipe"),
            Self::Reset => (
                ConnectionReset,
                "the peer disconnected the pipe; what was under way is lost",
            ),
            Self::Closed => (BrokenPipe, "the pipe is closed at this end"),
            Self::Torn => (InvalidData, "the peer went away in the middle of a packet"),
            Self::Oversized { limit } => {
                let text = format!("a packet is larger than the limit of {limit} bytes");
                return io::Error::new(InvalidData, text);
            }
            Self::Empty => (InvalidData, "a packet of length zero is neither data nor the end"),
            Self::Other(code) => return io::Error::from_raw_os_error(code.cast_signed()),
        };
        io::Error::new(kind, text)
    }
}
