//! Receiving several packets with one system call: recvmmsg(2), which rustix does not have.
#![allow(unsafe_code)]

use std::io;
use std::mem;
use std::os::fd::{AsRawFd, BorrowedFd};
use std::ptr;

use rpc_core::transport::PacketBuffer;

/// How many packets one call receives at most. A call that receives fewer has seen the queue empty.
pub(super) const MOST_AT_ONCE: usize = 2;

/// What arrived in one buffer.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Arrival {
    /// How many bytes; 0 at the end.
    pub(super) len: usize,
    /// The packet was larger than the buffer; the rest is gone.
    pub(super) cut: bool,
    /// Descriptors or credentials came along, and were dropped by the kernel.
    pub(super) carried_more: bool,
}

/// Receives into the buffers that are there, in order, without waiting.
pub(super) fn receive_some(
    fd: BorrowedFd<'_>,
    buffers: &mut [Option<PacketBuffer>; MOST_AT_ONCE],
) -> io::Result<impl ExactSizeIterator<Item = Arrival> + use<>> {
    let mut slices = [libc::iovec {
        iov_base: ptr::null_mut(),
        iov_len: 0,
    }; MOST_AT_ONCE];
    let mut wanted: libc::c_uint = 0;
    for (slice, buffer) in slices.iter_mut().zip(buffers.iter_mut().flatten()) {
        slice.iov_base = buffer.as_mut_ptr().cast();
        slice.iov_len = buffer.len();
        wanted += 1;
    }
    let mut messages = slices.each_mut().map(message_into);
    let received = loop {
        // SAFETY: the descriptor is open for the call; `messages` has at least `wanted` elements, and each of these
        // points at one slice, which points at a buffer that is borrowed mutably until this function ends; the name,
        // control and timeout pointers are null, which the call allows.
        let outcome = unsafe {
            libc::recvmmsg(
                fd.as_raw_fd(),
                messages.as_mut_ptr(),
                wanted,
                FLAGS as _,
                ptr::null_mut(),
            )
        };
        match usize::try_from(outcome) {
            Ok(received) => break received,
            Err(_) => {
                let error = io::Error::last_os_error();
                if error.kind() != io::ErrorKind::Interrupted {
                    return Err(error);
                }
            }
        }
    };
    let arrivals = messages.map(|message| arrival(&message));
    Ok(arrivals.into_iter().take(received))
}

const FLAGS: libc::c_int = libc::MSG_DONTWAIT | libc::MSG_CMSG_CLOEXEC;

fn message_into(slice: &mut libc::iovec) -> libc::mmsghdr {
    // SAFETY: all zeros is a valid `mmsghdr`: null pointers and zero lengths.
    let mut message: libc::mmsghdr = unsafe { mem::zeroed() };
    message.msg_hdr.msg_iov = slice;
    message.msg_hdr.msg_iovlen = 1;
    message
}

fn arrival(message: &libc::mmsghdr) -> Arrival {
    let flags = message.msg_hdr.msg_flags;
    Arrival {
        len: message.msg_len as usize,
        cut: flags & libc::MSG_TRUNC != 0,
        carried_more: flags & libc::MSG_CTRUNC != 0,
    }
}
