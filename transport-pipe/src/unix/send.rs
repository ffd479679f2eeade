//! One non-blocking send, and what its failures mean.

use std::io::{self, IoSlice};
use std::os::fd::AsFd;

use rustix::io::Errno;
use rustix::net::{SendAncillaryBuffer, send, sendmsg};

use super::system::SEND_FLAGS;
use super::system_calls::count_send;
use super::write_gate::WriteGate;

/// The most slices that one system call takes (IOV_MAX is 1024 on every system here).
const MOST_SLICES: usize = 1024;

/// The packet's length, if it is one that may be sent.
pub(super) fn check_len(packet: &[IoSlice<'_>], max_packet: usize) -> io::Result<usize> {
    let len = packet.iter().map(|slice| slice.len()).sum();
    if len == 0 || len > max_packet {
        return Err(wrong_size(len, max_packet));
    }
    Ok(len)
}

pub(super) fn wrong_size(len: usize, max_packet: usize) -> io::Error {
    let message = format!("a packet on this pipe has 1 to {max_packet} bytes, not {len}");
    io::Error::new(io::ErrorKind::InvalidInput, message)
}

/// Sends the slices, without waiting; says how many bytes the kernel took. When it would block, the gate is shut.
#[inline]
pub(super) fn send_slices(fd: impl AsFd, slices: &[IoSlice<'_>], gate: &WriteGate) -> Result<usize, Errno> {
    if slices.len() > MOST_SLICES {
        return send_slices(fd, &[IoSlice::new(&gather(slices))], gate);
    }
    loop {
        match send_once(&fd, slices) {
            Err(Errno::INTR) => {}
            Err(Errno::AGAIN) => {
                gate.shut_full();
                return Err(Errno::AGAIN);
            }
            Err(Errno::NOBUFS | Errno::NOMEM) => {
                gate.shut_short();
                return Err(Errno::AGAIN);
            }
            outcome => return outcome,
        }
    }
}

/// A small packet is one slice, and needs none of the headers that the kernel would have to copy in and check.
fn send_once(fd: impl AsFd, slices: &[IoSlice<'_>]) -> Result<usize, Errno> {
    count_send();
    match slices {
        [whole, rest @ ..] if rest.iter().all(|slice| slice.is_empty()) => send(fd, whole, SEND_FLAGS),
        _ => sendmsg(fd, slices, &mut SendAncillaryBuffer::default(), SEND_FLAGS),
    }
}

pub(super) fn gather(slices: &[IoSlice<'_>]) -> Vec<u8> {
    slices.iter().flat_map(|slice| slice.iter().copied()).collect()
}
