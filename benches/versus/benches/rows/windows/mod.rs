//! The rows that there are on Windows, in the order of the tables.

pub(super) mod overlapped_unsafe;

use super::{Entry, bare_waiting, pipe_rpc, tarpc};

pub(crate) const ALL: &[Entry] = &[
    bare_waiting::entry("bare-overlapped"),
    Entry::of::<pipe_rpc::PipeRpc>("pipe-rpc"),
    Entry::of::<tarpc::Tarpc>("tarpc"),
];
