//! Pipes on Unix: sockets at a path. Linux keeps packets apart by itself (SEQPACKET); elsewhere a length prefix does.

mod claim;
mod connect;
mod directory;
#[cfg(not(target_os = "linux"))]
mod elsewhere;
mod framed_recv;
mod framed_send;
#[cfg(target_os = "linux")]
mod linux;
mod listener;
mod peer;
#[cfg(target_os = "linux")]
mod peercred_unsafe;
#[cfg(not(target_os = "linux"))]
mod peereid_unsafe;
#[cfg(target_os = "linux")]
mod recvmmsg_unsafe;
mod register_unsafe;
mod send;
#[cfg(target_os = "linux")]
mod seqpacket;
mod socket;
mod write_gate;

#[cfg(not(target_os = "linux"))]
use elsewhere as system;
#[cfg(target_os = "linux")]
use linux as system;

pub(crate) use connect::connect_once;
pub(crate) use directory::private_path;
pub(crate) use listener::Acceptor;
pub(crate) use std::os::fd::OwnedFd as OsHandle;
pub(crate) use system::into_parts;
