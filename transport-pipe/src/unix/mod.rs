//! Pipes on Unix: sockets at a path. Linux keeps packets apart by itself (SEQPACKET); elsewhere a length prefix does.

mod admission;
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
mod lookup;
#[cfg(not(any(target_os = "linux", target_vendor = "apple", target_os = "freebsd")))]
mod no_peergroups;
#[cfg(not(target_os = "linux"))]
mod no_session;
#[cfg(not(all(feature = "testing", target_os = "linux")))]
mod no_system_calls;
mod peer;
#[cfg(target_os = "linux")]
mod peercred_unsafe;
#[cfg(not(target_os = "linux"))]
mod peereid_unsafe;
#[cfg(any(target_vendor = "apple", target_os = "freebsd"))]
mod peergroups_unsafe;
#[cfg(target_os = "linux")]
mod recvmmsg_unsafe;
mod register_unsafe;
mod send;
#[cfg(target_os = "linux")]
mod seqpacket;
#[cfg(target_os = "linux")]
mod session;
mod shared_place;
mod socket;
#[cfg(all(feature = "testing", target_os = "linux"))]
mod system_calls;
mod write_gate;

#[cfg(not(target_os = "linux"))]
use elsewhere as system;
#[cfg(target_os = "linux")]
use linux as system;
#[cfg(not(all(feature = "testing", target_os = "linux")))]
use no_system_calls as system_calls;

pub(crate) use connect::connect_once;
pub(crate) use directory::private_path;
pub(crate) use listener::Acceptor;
pub(crate) use lookup::{lookup_group, lookup_user};
pub(crate) use shared_place::{prepare_shared_place, shared_path};
pub(crate) use std::os::fd::OwnedFd as OsHandle;
pub(crate) use system::{DEFAULT_MAX_PACKET, executable, into_parts};
#[cfg(all(feature = "testing", target_os = "linux"))]
pub use system_calls::SystemCalls;
