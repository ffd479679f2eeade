//! What pipe-rpc is to reach beside the other rows, and whether it does.

mod list;
mod ratio;
mod table;
mod target;

pub(crate) use table::markdown;
