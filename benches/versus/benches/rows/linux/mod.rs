//! The rows that there are on Linux, in the order of the tables.

mod bare_packed;
mod bare_server;
mod bare_tokio;
mod seqpacket;
mod tarpc;

use super::{Entry, pipe_rpc};

pub(crate) const ALL: &[Entry] = &[
    Entry::of::<bare_tokio::BareTokio>("bare-tokio"),
    Entry::of::<bare_packed::BarePacked>("bare-packed"),
    Entry::of::<pipe_rpc::PipeRpc>("pipe-rpc"),
    Entry::of::<tarpc::Tarpc>("tarpc"),
];
