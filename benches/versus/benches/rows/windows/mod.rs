//! The rows that there are on Windows, in the order of the tables.

use super::{Entry, pipe_rpc};

pub(crate) const ALL: &[Entry] = &[Entry::of::<pipe_rpc::PipeRpc>("pipe-rpc")];
