//! The row capnp where there was no Cap'n Proto compiler: it is in no table, and said to be missing.

use crate::rows::Entry;

pub(super) const ENTRY: Entry = Entry {
    name: "capnp",
    has: &[],
    lacks: Some("all workloads: the compiler `capnp` was not installed when this was built"),
    serve: |_| unreachable!("it has no workload"),
    connect: |_| unreachable!("it has no workload"),
};
