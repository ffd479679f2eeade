//! Named pipes of message type, by overlapped I/O of our own.
//!
//! The system calls stand in the files named `*_unsafe`; what to do with them is decided in safe code:
//!
//! - `operation_unsafe` and `port_unsafe`: memory that the kernel holds, and the completions that give it back;
//! - `engine`: the one completion port of the process and its thread;
//! - `slot`: the one outstanding operation of a direction; `sender`, `receiver` and `link` are made of two;
//! - `instance`, `listening` and `acceptor`: the server's end; `client`: the other;
//! - `security`: accounts and who may connect, by the tokens of `token_unsafe`; `lookup`: accounts by name.

mod acceptor;
mod assembly;
mod buffer;
mod client;
mod engine;
mod fate;
mod file_unsafe;
mod instance;
mod link;
mod listening;
mod lookup;
mod lookup_unsafe;
mod operation_unsafe;
mod parts;
mod port_unsafe;
mod receiver;
mod security;
mod security_unsafe;
mod sender;
mod slot;
#[cfg(test)]
mod tests;
mod token_unsafe;
#[cfg(test)]
#[path = "../../tests/support/wine_unsafe.rs"]
mod wine_unsafe;

pub(crate) use acceptor::Acceptor;
pub(crate) use client::connect_once;
pub(crate) use lookup::{executable, lookup_group, lookup_user};
pub(crate) use parts::{OsHandle, into_parts};
pub(crate) use rpc_core::transport::DEFAULT_MAX_PACKET;
pub(crate) use security::{prepare_shared_place, private_path, shared_path};
