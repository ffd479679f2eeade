//! The rows that there are on Linux, in the order of the tables.

mod bare_packed;
mod bare_server;
mod bare_tokio;
pub(super) mod blocking;
mod seqpacket;

use super::{Entry, bare_waiting, pipe_rpc, tarpc};

pub(crate) const ALL: &[Entry] = &[
    bare_waiting::entry("bare-blocking"),
    Entry::of::<bare_tokio::BareTokio>("bare-tokio"),
    Entry::of::<bare_packed::BarePacked>("bare-packed"),
    Entry::of::<pipe_rpc::PipeRpc>("pipe-rpc"),
    Entry::of::<tarpc::Tarpc>("tarpc"),
];
