//! Receiving several packets with one system call, recvmmsg(2), which rustix does not have; or one packet in pieces, the
//! middle of it into memory that was never written to.
#![allow(unsafe_code)]

use std::io;
use std::mem;
use std::os::fd::{AsRawFd, BorrowedFd};
use std::ptr;
use std::slice::from_mut;

use rpc_core::transport::{Landing, PacketBuffer};

use super::system_calls::count_receive;

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

/// Receives into one buffer, or two, without waiting. A second packet that could be received and was not is not there.
#[inline]
pub(super) fn receive_some(
    fd: BorrowedFd<'_>,
    first: &mut PacketBuffer,
    second: Option<&mut PacketBuffer>,
) -> io::Result<(Arrival, Option<Arrival>)> {
    let wanted = 1 + libc::c_uint::from(second.is_some());
    let mut into_first = slice(first.as_mut_ptr(), first.len());
    let mut into_second = match second {
        Some(second) => slice(second.as_mut_ptr(), second.len()),
        None => slice(ptr::null_mut(), 0),
    };
    let mut messages = [&mut into_first, &mut into_second].map(|slice| message_into(from_mut(slice)));
    let received = retry(|| {
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
        usize::try_from(outcome).ok()
    })?;
    let [first, second] = &messages;
    let arrival = |message: &libc::mmsghdr| arrival(&message.msg_hdr, message.msg_len as usize);
    Ok((arrival(first), (received > 1).then(|| arrival(second))))
}

/// Receives one packet, without waiting: its middle lands, the rest comes to its place in the buffer.
pub(super) fn receive_landing(
    fd: BorrowedFd<'_>,
    buffer: &mut PacketBuffer,
    landing: &mut Landing,
) -> io::Result<Arrival> {
    let (skip, room) = (landing.skip(), landing.room());
    let bytes = landing.bytes_mut();
    let before = bytes.len();
    let (start, rest) = buffer.split_at_mut(skip);
    let rest = rest.get_mut(room..).unwrap_or_default();
    let middle = &mut bytes.spare_capacity_mut()[..room];
    let mut slices = [
        slice(start.as_mut_ptr(), skip),
        slice(middle.as_mut_ptr().cast(), room),
        slice(rest.as_mut_ptr(), rest.len()),
    ];
    let mut message = message_into(&mut slices).msg_hdr;
    let len = retry(|| {
        // SAFETY: the descriptor is open for the call; `message` points at three slices of memory that is borrowed
        // mutably until this function ends and that overlaps nowhere; the name and control pointers are null.
        let outcome = unsafe { libc::recvmsg(fd.as_raw_fd(), &raw mut message, FLAGS) };
        usize::try_from(outcome).ok()
    })?;
    // What is not cut is in the slices, in their order.
    let landed = len.saturating_sub(skip).min(room);
    // SAFETY: `room` bytes of capacity follow the first `before`, and the kernel has written `landed` of them.
    unsafe { bytes.set_len(before + landed) };
    Ok(arrival(&message, len))
}

const FLAGS: libc::c_int = libc::MSG_DONTWAIT | libc::MSG_CMSG_CLOEXEC;

/// Repeats a system call that a signal has interrupted. `None`: it failed.
fn retry(mut call: impl FnMut() -> Option<usize>) -> io::Result<usize> {
    loop {
        count_receive();
        if let Some(received) = call() {
            return Ok(received);
        }
        let error = io::Error::last_os_error();
        if error.kind() != io::ErrorKind::Interrupted {
            return Err(error);
        }
    }
}

fn slice(start: *mut u8, len: usize) -> libc::iovec {
    libc::iovec {
        iov_base: start.cast(),
        iov_len: len,
    }
}

fn message_into(slices: &mut [libc::iovec]) -> libc::mmsghdr {
    // SAFETY: all zeros is a valid `mmsghdr`: null pointers and zero lengths.
    let mut message: libc::mmsghdr = unsafe { mem::zeroed() };
    message.msg_hdr.msg_iov = slices.as_mut_ptr();
    message.msg_hdr.msg_iovlen = slices.len() as _;
    message
}

fn arrival(message: &libc::msghdr, len: usize) -> Arrival {
    let flags = message.msg_flags;
    Arrival {
        len,
        cut: flags & libc::MSG_TRUNC != 0,
        carried_more: flags & libc::MSG_CTRUNC != 0,
    }
}
