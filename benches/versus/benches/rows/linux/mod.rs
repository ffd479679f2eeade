//! The rows that there are on Linux, in the order of the tables.

mod bare_blocking;
mod bare_packed;
mod bare_server;
mod bare_tokio;
mod blocking;
mod seqpacket;
mod tarpc;
mod tonic;
mod zbus;

use super::{Entry, pipe_rpc};

pub(crate) const ALL: &[Entry] = &[
    bare_blocking::ENTRY,
    Entry::of::<bare_tokio::BareTokio>("bare-tokio"),
    Entry::of::<bare_packed::BarePacked>("bare-packed"),
    Entry::of::<pipe_rpc::PipeRpc>("pipe-rpc"),
    Entry::of::<tarpc::Tarpc>("tarpc"),
    Entry::of::<tonic::Tonic>("tonic"),
    Entry::of::<zbus::Zbus>("zbus"),
];
