//! The rows that there are on Linux, in the order of the tables.

mod bare_calls;
mod bare_packed;
mod bare_server;
mod bare_tokio;
pub(super) mod blocking;
#[cfg(capnp)]
mod capnp;
#[cfg(not(capnp))]
#[path = "capnp_absent.rs"]
mod capnp;
mod remoc;
mod seqpacket;
mod tonic;
mod ttrpc;
mod zbus;

use super::{Entry, bare_waiting, pipe_rpc, tarpc};

pub(crate) const ALL: &[Entry] = &[
    bare_waiting::entry("bare-blocking"),
    Entry::of::<bare_tokio::BareTokio>("bare-tokio"),
    Entry::of::<bare_packed::BarePacked>("bare-packed"),
    Entry::of::<bare_calls::BareCalls>("bare-calls"),
    Entry::of::<pipe_rpc::PipeRpc>("pipe-rpc"),
    Entry::of::<tarpc::Tarpc>("tarpc"),
    Entry::of::<tonic::Tonic>("tonic"),
    Entry::of::<zbus::Zbus>("zbus"),
    Entry::of::<ttrpc::Ttrpc>("ttrpc"),
    Entry::of::<remoc::Remoc>("remoc"),
    capnp::ENTRY,
];
